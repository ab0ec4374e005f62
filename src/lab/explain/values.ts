/** What stands in the data of an event, without trust that it does. */
import type { Json } from "../../core/plain.js";

export function field(data: Json, name: string): Json | undefined {
  if (data === null || typeof data !== "object" || Array.isArray(data)) return undefined;
  const record = data as { readonly [key: string]: Json };
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

export function numberIn(data: Json, name: string): number | null {
  const value = field(data, name);
  return typeof value === "number" ? value : null;
}

export function textIn(data: Json, name: string): string | null {
  const value = field(data, name);
  return typeof value === "string" ? value : null;
}

export function numbersIn(data: Json, name: string): readonly number[] {
  const value = field(data, name);
  if (!Array.isArray(value)) return [];
  return (value as readonly Json[]).filter((item) => typeof item === "number");
}
