/** Messages to frames and back. The binary codec is the one that runs; see json-codec.ts. */
import { type Checksum, crc32 } from "../crc32.js";
import type { RaftMessage } from "../raft/messages.js";
import { frameBytesMaxDefault, frameTypeOf } from "./frame-types.js";
import { type Malformed, checkFrame } from "./frame.js";
import type { FramedMessage, NodeMessage } from "./messages.js";
import { decodeNodeBody, encodeNodeFrame } from "./node-codec.js";
import { decodeRaftBody } from "./raft-decode.js";
import { encodeRaftFrame } from "./raft-encode.js";

export interface Codec {
  readonly name: "binary" | "json";
  /** A message whose binary frame is no larger than this fits a frame of this codec. */
  readonly binaryBytesMax: number;
  /** A whole frame, which belongs to the caller. `id` is below 2^53. */
  encode(message: FramedMessage, id: number): Uint8Array;
  /** Any bytes give a message or a typed error. Byte arrays in the message are views of `whole`. */
  decode(whole: Uint8Array): FramedMessage | Malformed;
  /** The same for a frame whose checksum was verified, as by FrameDecoder. */
  decodeVerified(whole: Uint8Array): FramedMessage | Malformed;
}

export interface CodecOptions {
  readonly checksum?: Checksum;
  /** Of a whole frame; 4 MiB unless given. */
  readonly bytesMax?: number;
}

export function binaryCodec(options: CodecOptions = {}): Codec {
  const { checksum = crc32, bytesMax = frameBytesMaxDefault } = options;
  return {
    name: "binary",
    binaryBytesMax: bytesMax,
    encode: (message, id) =>
      isRaftMessage(message)
        ? encodeRaftFrame(message, id, checksum)
        : encodeNodeFrame(message, id, checksum),
    decode: (whole) => checkFrame(whole, checksum, bytesMax) ?? decodeBody(whole),
    decodeVerified: (whole) => checkFrame(whole, null, bytesMax) ?? decodeBody(whole),
  };
}

function decodeBody(whole: Uint8Array): FramedMessage | Malformed {
  return whole[5]! < frameTypeOf.hello ? decodeRaftBody(whole) : decodeNodeBody(whole);
}

export function isRaftMessage(message: RaftMessage | NodeMessage): message is RaftMessage {
  return "request" in message;
}
