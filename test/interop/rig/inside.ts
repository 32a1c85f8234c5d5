import { systemEnv } from '../../../src/app/instance/env.ts'
import { Instance } from '../../../src/app/instance/instance.ts'
import { loadConfigValue } from '../../../src/config/load.ts'
import type { LogFields, Logger } from '../../../src/core/env.ts'
import type { Exit, Peer } from './harness.ts'

/** A proxy of ours in this process, for tests that ask for nothing of a process: it starts in milliseconds. */
export async function startInside(config: object, name: string): Promise<Peer> {
  const loaded = loadConfigValue(config)
  if (!loaded.config) throw new Error(loaded.problems.map(({ message }) => message).join('\n'))
  const lines: string[] = []
  const watchers = new Set<() => void>()
  const write = (level: string) => (fields: LogFields, message: string) => {
    lines.push(`${level} ${message} ${Object.entries(fields).join(' ')}`)
    for (const look of watchers) look()
  }
  const log: Logger = { debug: () => {}, info: write('info'), warn: write('warn'), error: write('error') }
  const instance = new Instance(loaded.config, { env: systemEnv(log) })
  let over = false
  let leave: (exit: Exit) => void
  const exited = new Promise<Exit>((resolve) => {
    leave = resolve
  })
  const stop = async () => {
    if (over) return
    over = true
    await instance.stop(0)
    leave({ code: 0, signal: null })
  }
  await instance.start().catch(async (error) => {
    await stop()
    throw error
  })
  return {
    name,
    pid: process.pid,
    log: () => lines.join('\n'),
    logged: (pattern, withinMs = 10_000) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          watchers.delete(look)
          reject(new Error(`${name}: ${withinMs} ms passed without logging ${pattern}\n${lines.join('\n')}`))
        }, withinMs)
        const look = () => {
          const match = pattern.exec(lines.join('\n'))
          if (!match) return
          clearTimeout(timer)
          watchers.delete(look)
          resolve(match)
        }
        watchers.add(look)
        look()
      }),
    kill: () => void stop(),
    exited,
    running: () => !over,
    stop,
  }
}
