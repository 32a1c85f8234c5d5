/** Rules with the lists that they name, read from data files. */
import { dirname } from 'node:path'
import type { Logger } from '../../core/env.ts'
import { type FindFile, GeoLists } from '../../routing/geo/lists.ts'
import { Router } from '../../routing/router.ts'
import { RuleError } from '../../routing/rule.ts'
import { ConfigError } from '../../schema/problem.ts'
import type { RoutingConfig, RoutingRule } from '../../settings/model.ts'
import { AssetFiles, assetDirectories } from '../geo/find.ts'

export const noRouting: RoutingConfig = {
  domainStrategy: 'AsIs',
  normalizeTrailingDot: false,
  rules: [],
  balancers: [],
}

export interface CompileOptions {
  readonly env: { readonly log: Logger }
  /** Opens data files; by default where they usually are. */
  readonly findAsset?: FindFile | undefined
}

/** Undefined without rules: nothing is to be looked at then. @throws ConfigError for a list that is not there */
export function compileRouting(config: RoutingConfig, { env, findAsset }: CompileOptions): Router | undefined {
  if (config.rules.length === 0) return undefined
  const files = new AssetFiles(assetDirectories(directoriesOf(config.rules)))
  try {
    const lists = new GeoLists(findAsset ?? files.find)
    const warn = (rule: RoutingRule, message: string) => env.log.warn({ rule: rule.ruleTag || rule.at }, message)
    return new Router(config, { lists, warn })
  } catch (error) {
    throw error instanceof RuleError ? problemOf(error) : error
  } finally {
    files.close()
  }
}

const directoriesOf = (rules: readonly RoutingRule[]): readonly string[] => [
  ...new Set(rules.flatMap(({ file }) => (file && !/^https?:|^stdin$/i.test(file) ? dirname(file) : []))),
]

function problemOf({ rule, key, message }: RuleError): ConfigError {
  const { at, file = '', line = 0, column = 0 } = rule
  const path = at === '' ? key : `${at}.${key}`
  return new ConfigError([{ code: 'CFG124', severity: 'error', path, file, line, column, message }])
}
