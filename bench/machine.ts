import { cpus, release, totalmem } from 'node:os'

/** What figures depend on, beside the programs. */
export function thisMachine(): string {
  const all = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${all.length} × ${all[0]?.model.trim()}, ${memory} GiB, Linux ${release().split('-')[0]}`
}
