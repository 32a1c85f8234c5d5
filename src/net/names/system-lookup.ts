import { type ChildProcess, spawn } from 'node:child_process'
import { ProxyError } from '../../core/errors.ts'
import type { Resolve } from '../../core/ground.ts'
import { limits } from '../../core/limits.ts'

/**
 * What the child runs: a line `[host, family]` in, a line of addresses or of an error's code out. It ends when nothing was
 * asked for a while, and by force when its parent is gone: its threads may hang.
 */
const program = `
const { lookup } = require('node:dns')
const die = () => process.kill(process.pid, 'SIGKILL')
let idle = setTimeout(die, ${limits.systemLookupIdleMs})
require('node:readline').createInterface({ input: process.stdin }).on('close', die).on('line', (line) => {
  clearTimeout(idle)
  const [host, family] = JSON.parse(line)
  lookup(host, { all: true, family }, (error, found) => {
    const answer = error ? { code: error.code } : { addresses: found.map((entry) => entry.address) }
    process.stdout.write(JSON.stringify(answer) + '\\n')
    idle = setTimeout(die, ${limits.systemLookupIdleMs})
  })
})
`

/** Without what would make the child wait for a debugger or load what the parent loads. */
const childEnv = (): NodeJS.ProcessEnv => ({ ...process.env, NODE_OPTIONS: '', ELECTRON_RUN_AS_NODE: '1' })

/**
 * The system's own resolver (`getaddrinfo`), in a child process: where it hangs it takes a thread with it, four hanging
 * ones stop every look-up and file access of a Node process, and leaving waits for them. A child can be killed. It is
 * started when first needed and never keeps this process alive. One name at a time.
 */
export function systemLookup(): Resolve {
  let child: ChildProcess | undefined

  const running = (): ChildProcess => {
    if (child) return child
    const started = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'ignore'], env: childEnv() })
    started.on('exit', () => forget(started))
    started.stdin!.on('error', () => {})
    started.unref()
    // Those of Bun do not keep the process alive, and have no such method.
    for (const pipe of [started.stdin, started.stdout]) (pipe as { unref?: () => void } | null)?.unref?.()
    child = started
    return started
  }
  const forget = (ended: ChildProcess): void => {
    if (child === ended) child = undefined
  }

  return (host, family, until) =>
    new Promise((resolve, reject) => {
      if (until.gone) return reject(until.gone)
      const asked = running()
      let text = ''
      const failed = (reason: string): void => {
        settle()
        reject(new ProxyError('DNS_FAILED', `the system's resolver cannot resolve ${host}: ${reason}`))
      }
      const onError = (error: Error): void => {
        forget(asked)
        failed(error.message)
      }
      const onExit = (): void => failed('its process ended')
      const onData = (chunk: Buffer): void => {
        text += chunk.toString()
        if (!text.endsWith('\n')) return
        const answer = JSON.parse(text) as { addresses?: string[]; code?: string }
        settle()
        if (answer.addresses) resolve(answer.addresses)
        else failed(answer.code ?? 'unknown')
      }
      const leave = until.onGone((why) => {
        settle()
        forget(asked)
        asked.kill('SIGKILL')
        reject(why)
      })
      function settle(): void {
        leave?.()
        asked.off('error', onError).off('exit', onExit)
        asked.stdout!.off('data', onData)
      }
      asked.on('error', onError).on('exit', onExit)
      asked.stdout!.on('data', onData)
      asked.stdin!.write(`${JSON.stringify([host, family])}\n`)
    })
}
