import { SystemRandom } from "../../src/real/random.js";
import { randomConformance } from "../conformance/random.js";

randomConformance("the system's", () => new SystemRandom());
