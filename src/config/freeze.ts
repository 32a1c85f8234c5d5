/** Freezes a value and all below it. Bytes and maps have no frozen form and are left to their types. */
export function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof Map) return value
  for (const member of Object.values(value)) freeze(member)
  return Object.freeze(value)
}
