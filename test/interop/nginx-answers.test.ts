/**
 * The recorded answers of nginx are its answers still. With VMESS_RECORD=1 it writes them anew:
 *   VMESS_RECORD=1 npx vitest run test/interop/nginx-answers.test.ts
 */
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { comparable, type NginxAnswers, nginxAnswers, nginxAnswersFile } from '../support/nginx-answers.ts'
import { strangers, visitors } from '../support/stranger-requests.ts'
import { freePorts, withPeers } from './rig/harness.ts'
import { hasNginx, nginxVersion, startNginx } from './rig/nginx.ts'

const record = process.env.VMESS_RECORD === '1'
const wanted = 'nginx/1.22.1'

/** Everything that comes until the server ends, where a client ends its half behind its request. */
const ask = (port: number, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.end(text, 'latin1'))
    socket
      .setEncoding('latin1')
      .on('data', (part: string) => {
        answer += part
      })
      .on('end', () => resolve(comparable(answer)))
      .on('error', reject)
  })

async function answersOf(port: number, requests: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const asked = Object.entries(requests).map(async ([name, text]) => [name, await ask(port, text)] as const)
  return Object.fromEntries(await Promise.all(asked))
}

test.skipIf(!hasNginx || nginxVersion() !== wanted)(`${wanted} says what was recorded`, async () => {
  const [bare, files] = (await freePorts(2)) as [number, number]
  const http = (folder: string) => `
  server { listen 127.0.0.1:${bare}; location / { return 404; } }
  server { listen 127.0.0.1:${files}; root ${folder}/html; index index.html;
           location / { try_files $uri $uri/ =404; } }`
  await withPeers([await startNginx(http, [bare, files])], async () => {
    const answers = {
      version: wanted,
      strangers: await answersOf(bare, strangers),
      visitors: await answersOf(files, visitors),
    }
    if (record) {
      const recorded: NginxAnswers = { ...answers, recorded: new Date().toISOString().slice(0, 10) }
      writeFileSync(nginxAnswersFile, `${JSON.stringify(recorded, null, 2)}\n`)
    }
    expect(nginxAnswers()).toMatchObject(answers)
  })
})
