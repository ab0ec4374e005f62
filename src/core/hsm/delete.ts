/** For administrators: the name goes first, then the key. */
import { utf8Encode } from "../bytes.js";
import type { HsmValue } from "../ports/hsm.js";
import { confirmVisible } from "./canary.js";
import { type Flow, ask } from "./flow.js";
import { equalInConstantTime } from "./gcm.js";
import { destroyKey } from "./generate.js";
import { classOf, idTemplate, locateKey, rawIdOf } from "./handles.js";
import type { KeyReference } from "./keys.js";
import { destroyMacKeys } from "./mac.js";
import { closeSession } from "./sessions.js";
import type { HsmCore, Work } from "./state.js";
import { bury } from "./tombstones.js";

export function isAdmin({ options }: HsmCore, secret: string): boolean {
  const shown = options.digest("sha256", utf8Encode(secret));
  return options.adminDigest !== null && equalInConstantTime(shown, options.adminDigest);
}

export function* deleteKey(work: Work, key: KeyReference): Flow<HsmValue> {
  const { core, job } = work;
  if (job.memo.deleting) {
    yield* destroyRest(work, key);
    return deleted(core, key);
  }
  const { handle, description } = yield* locateKey(work, key);
  const ofToken = description.attributes.token !== false;
  if (ofToken) yield* bury(work, key);
  job.memo.deleting = true;
  yield* destroyMacKeys(work, key);
  yield* destroyKey(work, classOf(key.spec), handle, yield* rawIdOf(handle));
  return deleted(core, key);
}

/** Asked again after an answer was lost: what is left of a key that was verified before. */
function* destroyRest(work: Work, key: KeyReference): Flow<void> {
  const objectClass = classOf(key.spec);
  const template = idTemplate(work.core, objectClass, key);
  const [handle] = yield* ask("find", { template, max: 1 });
  if (handle === undefined) yield* confirmVisible(work);
  else yield* destroyKey(work, objectClass, handle, yield* rawIdOf(handle));
}

function deleted(core: HsmCore, { id, label, version }: KeyReference): HsmValue {
  core.state.handles.delete(id);
  const session = core.state.held.get(id);
  if (session !== undefined) {
    core.state.held.delete(id);
    closeSession(core, session);
  }
  core.out.push({ kind: "event", event: { name: "keyDeleted", label, version } });
  return { kind: "done" };
}
