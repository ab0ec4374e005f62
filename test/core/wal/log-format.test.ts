/** The page on the log's format and the code say the same. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { putU53 } from "../../../src/core/bytes.js";
import { crc32 } from "../../../src/core/crc32.js";
import {
  type BatchHeader,
  type BatchRow,
  headerFixedBytes,
  putHeader,
  putRow,
  readHeader,
  rowBytes,
  rowFlag,
} from "../../../src/core/wal/batch.js";
import {
  encodeRingSlot,
  readRing,
  ringEntryBytes,
  ringSlotFixedBytes,
} from "../../../src/core/wal/header-ring.js";
import {
  recordEnd,
  recordField,
  recordHeaderBytes,
  recordType,
  sealRecord,
} from "../../../src/core/wal/record.js";

const page = readFileSync(
  new URL("../../../docs/reference/log-format.md", import.meta.url),
  "utf8",
);

interface Field {
  readonly offset: number;
  readonly bytes: number;
  readonly name: string;
}

/** The table whose third column has this title. */
function fields(title: string): Field[] {
  return table("offset", title, 2).map(([offset, bytes, name]) => {
    return { offset: Number(offset), bytes: Number(bytes), name: name! };
  });
}

function table(first: string, title: string, column: number): string[][] {
  const lines = page.split("\n");
  const cells = (line: string): string[] =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
  const head = lines.findIndex((line) => {
    return cells(line)[0] === first && cells(line)[column] === title;
  });
  const rows = lines.slice(head + 2);
  const end = rows.findIndex((line) => !line.startsWith("|"));
  if (head < 0 || end < 0) throw new Error(`the page has no table ${title}`);
  return rows.slice(0, end).map(cells);
}

function expectDense(list: readonly Field[], total: number): void {
  let at = 0;
  for (const { offset, bytes } of list) {
    expect(offset).toBe(at);
    at += bytes;
  }
  expect(at).toBe(total);
}

test("log format: record: page and code agree", () => {
  const list = fields("field");
  expectDense(list, recordHeaderBytes);
  expect(Object.fromEntries(list.map(({ name, offset }) => [name, offset]))).toEqual(recordField);
});

test("log format: types and flags: page and code agree", () => {
  const types = table("type", "name", 1).map(([type, name]) => [name!, Number(type)]);
  expect(Object.fromEntries(types)).toEqual(recordType);
  const flags = table("flag", "name", 1).map(([flag, name]) => [name!, Number(flag)]);
  expect(Object.fromEntries(flags)).toEqual(rowFlag);
});

test("log format: batch header and row: each field stands where the page says", () => {
  const headerFields = fields("batch header");
  const rowFields = fields("row");
  expectDense(headerFields, headerFixedBytes);
  expectDense(rowFields, rowBytes);
  const header: Record<string, number> = {};
  for (const [n, { name }] of headerFields.entries()) header[name] = 1000 - n;
  const row: Record<string, number> = {};
  for (const [n, { name }] of rowFields.entries()) row[name] = 2000 + n;
  const bytes = new Uint8Array(headerFixedBytes + rowBytes);
  const given = { ...header, forgotten: true, machine: true } as unknown as BatchHeader;
  putHeader(bytes, 0, given, 1);
  putRow(bytes, headerFixedBytes, row as unknown as BatchRow);
  const numberAt = (from: number, { offset, bytes: count }: Field): number => {
    let value = 0;
    for (let n = count - 1; n >= 0; n--) value = value * 256 + bytes[from + offset + n]!;
    return value;
  };
  for (const field of headerFields) {
    const expected = { rowCount: 1, flags: 3 }[field.name] ?? header[field.name];
    expect(numberAt(0, field), field.name).toBe(expected);
  }
  for (const field of rowFields) {
    expect(numberAt(headerFixedBytes, field), field.name).toBe(row[field.name]);
  }
  expect(readHeader(bytes, 0, bytes.length, 5)).toEqual({
    ...Object.fromEntries(
      Object.entries(header).filter(([name]) => !["rowCount", "flags"].includes(name)),
    ),
    lsn: 5,
    forgotten: true,
    machine: true,
    rows: [row],
  });
});

test("log format: ring entry: each field stands where the page says, and reads back", () => {
  const list = fields("ring entry");
  expectDense(list, ringEntryBytes);
  const entry = { lsn: 2 ** 40 + 1, segment: 2, offset: 3, length: 4, checksum: 5 };
  const slot = { disk: 7, boot: 8, entries: [entry] };
  const bytes = encodeRingSlot(slot, 0, crc32);
  for (const { name, offset, bytes: count } of list) {
    const expected = new Uint8Array(8);
    putU53(expected, 0, entry[name as keyof typeof entry]);
    const from = ringSlotFixedBytes + offset;
    expect(bytes.slice(from, from + count), name).toEqual(expected.slice(0, count));
  }
  expect(readRing(bytes, 7, crc32)).toEqual([slot]);
  expect(readRing(bytes, 6, crc32)).toEqual([]);
});

test("log format: a sealed record: moved, of another salt, cut or flipped, it is none", () => {
  const bytes = new Uint8Array(100).fill(7);
  bytes.fill(0, recordField.salt, recordField.salt + 4);
  bytes[recordField.salt] = 9;
  sealRecord(bytes, 0, 90, 512, crc32);
  expect(recordEnd(bytes, 0, 100, 512, 9, crc32)).toBe(90);
  expect(recordEnd(bytes, 0, 100, 1024, 9, crc32)).toBe(0);
  expect(recordEnd(bytes, 0, 100, 512, 8, crc32)).toBe(0);
  expect(recordEnd(bytes, 0, 89, 512, 9, crc32)).toBe(0);
  for (let bit = 0; bit < 90 * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    expect(recordEnd(bytes, 0, 100, 512, 9, crc32), `bit ${bit}`).toBe(0);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
});
