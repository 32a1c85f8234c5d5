/** The configuration that `vmess serve` makes once and keeps: an ordinary V2Ray file in the XDG configuration folder. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { CliError, exitCodes } from '../process/exit.ts'

export interface ServerChoices {
  /** `''` for every address of the machine. */
  readonly listen: string
  readonly port: number
  readonly id: string
  readonly tls?: { readonly cert: string; readonly key: string }
  /** `network` and its settings; absent: tcp. */
  readonly stream?: Readonly<Record<string, unknown>> | undefined
}

export function serverFilePath(env: Readonly<Record<string, string | undefined>>): string {
  // The XDG rules say that a relative path there is to be ignored.
  const xdg = env.XDG_CONFIG_HOME
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : join(env.HOME || homedir(), '.config')
  return join(base, 'vmess', 'server.json')
}

/** The text of the saved file, or undefined when there is none yet. */
export function readServerFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return undefined
    throw new CliError(exitCodes.config, `${path}: the saved configuration cannot be read (${code})`)
  }
}

/** Others on the machine who may read the file could use the server. */
export const readableByOthers = (path: string): boolean =>
  process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0

export function serverFileText(choices: ServerChoices, path: string): string {
  const { listen, port, id, tls, stream } = choices
  const inbound = {
    tag: 'vmess',
    ...(listen === '' ? {} : { listen }),
    port,
    protocol: 'vmess',
    settings: { clients: [{ id }] },
    ...(tls || stream ? { streamSettings: { network: 'tcp', ...stream, ...(tls && secured(tls)) } } : {}),
  }
  const config = {
    log: { loglevel: 'warning', access: 'none' },
    inbounds: [inbound],
    outbounds: [{ tag: 'direct', protocol: 'freedom' }],
  }
  const comment = [
    '// Made by "vmess serve", which will use it again as it is. It is an ordinary V2Ray configuration:',
    `// change what you like, and check it with: vmess test -c '${path}'`,
  ]
  return `${comment.join('\n')}\n${JSON.stringify(config, null, 2)}\n`
}

function secured(tls: { cert: string; key: string }): object {
  const certificates = [{ certificateFile: tls.cert, keyFile: tls.key }]
  return { security: 'tls', tlsSettings: { certificates } }
}

/** Saves a new file, for its owner only. Never overwrites: fails if somebody else was quicker. */
export function saveServerFile(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const reason = code === 'EEXIST' ? 'another program has just made this file' : `it cannot be written (${code})`
    throw new CliError(exitCodes.start, `${path}: the configuration was not saved: ${reason}`)
  }
}
