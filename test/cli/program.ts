/** Runs the built command line as a child process. `npm test` builds before it tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach } from 'vitest'
import { main } from '../../src/cli/main.ts'
import { nameCommands } from '../../src/cli/process/command-name.ts'

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
if (!existsSync(cli)) throw new Error('dist/cli.js is missing: run "npm run build" first')

export interface Options {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Standard input; nothing without it. */
  readonly input?: string
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export class Program {
  stdout = ''
  stderr = ''
  readonly ended: Promise<Ended>
  readonly #child: ChildProcess
  readonly #watchers = new Set<() => void>()

  constructor(args: readonly string[], options: Options = {}) {
    const { PATH, HOME = '/' } = process.env
    const env = { PATH, HOME, NO_COLOR: '1', ...options.env }
    const child = spawn(process.execPath, [cli, ...args], { cwd: options.cwd ?? tmpdir(), env, stdio: 'pipe' })
    this.#child = child
    child.stdin.end(options.input ?? '')
    child.stdout.on('data', (data) => this.#heard('stdout', data))
    child.stderr.on('data', (data) => this.#heard('stderr', data))
    this.ended = new Promise((resolve) => {
      child.on('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr }))
    })
    programs.add(this)
  }

  #heard(stream: 'stdout' | 'stderr', data: Buffer): void {
    this[stream] += data.toString()
    for (const watcher of this.#watchers) watcher()
  }

  /** Resolves with the match once the output has it; rejects when the program ends without. */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    const found = () => pattern.exec(this.stdout) ?? pattern.exec(this.stderr)
    const match = await new Promise<RegExpExecArray | null>((resolve) => {
      const watcher = () => {
        const match = found()
        if (match) resolve(match)
      }
      this.#watchers.add(watcher)
      watcher()
      void this.ended.then(() => resolve(found()))
    })
    if (!match) throw new Error(`${pattern} was never printed:\n${this.stdout}\n${this.stderr}`)
    return match
  }

  get pid(): number {
    return this.#child.pid!
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  async stop(name: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.signal(name)
    return this.ended
  }
}

const programs = new Set<Program>()
const folders = new Set<string>()

afterEach(async () => {
  for (const program of programs) program.signal('SIGKILL')
  await Promise.all([...programs].map((program) => program.ended))
  programs.clear()
  for (const folder of folders) rmSync(folder, { recursive: true })
  folders.clear()
})

/** Runs a command line to its end in a process of its own. */
export const vmess = (args: readonly string[], options?: Options): Promise<Ended> => new Program(args, options).ended

/**
 * Runs a command line to its end in this process: a command that only answers takes milliseconds here, and half a second in
 * a process of its own.
 */
export async function vmessHere(args: readonly string[], { cwd, env, input }: Options = {}): Promise<Ended> {
  const command = `node ${cli}`
  const said = { stdout: '', stderr: '' }
  const err = (text: string) => {
    said.stderr += `${text}\n`
  }
  const code = await main([...args], {
    out: (text) => {
      said.stdout += `${text}\n`
    },
    err: (text) => err(nameCommands(text, command)),
    log: err,
    command,
    env: { HOME: '/', ...env },
    cwd: cwd ?? tmpdir(),
    errColor: false,
    readInput: async () => input ?? '',
  })
  return { code, ...said }
}

/** A folder that is gone after the test. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vmess-cli-'))
  folders.add(folder)
  return folder
}

/** A loopback port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address()
      server.close(() => (bound && typeof bound === 'object' ? resolve(bound.port) : reject(new Error('no port'))))
    })
  })
}
