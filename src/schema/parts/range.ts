/** A range of numbers as Xray writes it: 5, "5" or "5-10". */
import { z } from 'zod'
import type { Context } from '../context.ts'
import { noted } from '../fields.ts'
import { type Place, shorten } from '../report.ts'

export interface NumberRange {
  readonly from: number
  readonly to: number
}

export const rangeField = (description: string) =>
  noted(z.union([z.int().min(0), z.string()]).describe(description), {
    expected: 'a whole number (5), or a range in double quotes ("5-10")',
  })

/** The smaller number first. Undefined when it is no range, or one that begins below `least`, which is reported. */
export function readRange(
  value: number | string,
  least: number,
  place: Place,
  { report }: Context,
): NumberRange | undefined {
  const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(String(value).trim())
  const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])]
  if (match && Math.min(from, to) >= least) return { from: Math.min(from, to), to: Math.max(from, to) }
  const expected = `expected a number from ${least} on, or a range such as "5-10"`
  report.error('CFG023', place, `found ${JSON.stringify(shorten(String(value)))}, ${expected}`)
  return undefined
}
