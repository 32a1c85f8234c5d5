import type { RulePlace } from '../../settings/routing.ts'
import type { Place } from '../report.ts'
import { positionOf } from '../tree.ts'

/** A place as the instance gets it, for what shows only when data files are read. */
export const rulePlace = ({ path, source, offset }: Place): RulePlace => ({
  at: path,
  file: source.name,
  ...positionOf(source, offset),
})
