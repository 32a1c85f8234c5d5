/** What Debian's nginx said to `strangers` and `visitors`; test/interop/nginx-answers.test.ts records it. */
import { readFileSync } from 'node:fs'

export interface NginxAnswers {
  readonly version: string
  readonly recorded: string
  readonly strangers: Readonly<Record<string, string>>
  readonly visitors: Readonly<Record<string, string>>
}

export const nginxAnswersFile = new URL('../fixtures/nginx.json', import.meta.url)

export const nginxAnswers = (): NginxAnswers => JSON.parse(readFileSync(nginxAnswersFile, 'utf8')) as NginxAnswers

/** Without what differs by the moment and the port. */
export const comparable = (answer: string): string =>
  answer.replaceAll(/^Date: .*\r$/gm, 'Date: …\r').replaceAll(/^(Location: https?:\/\/[^/:]+):\d+/gm, '$1')
