import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { checkCertificates, coversHost, pinFor } from '../../app/build/certificate-host.ts'
import { systemEnv } from '../../app/instance/env.ts'
import { formatUuid, parseId } from '../../app/users/ids.ts'
import { linkStream } from '../../config/link/outbound.ts'
import { loadConfig } from '../../config/load.ts'
import { formatAddress } from '../../core/address.ts'
import { ConfigError } from '../../schema/problem.ts'
import type { Config, WorkersConfig } from '../../settings/model.ts'
import { CliError, errorText, exitCodes, usageError } from '../process/exit.ts'
import { StopSignals, untilStopped } from '../process/lifecycle.ts'
import type { Terminal } from '../process/terminal.ts'
import { printProblems } from '../run/report-problems.ts'
import { startInstance } from '../run/start-instance.ts'
import { readWorkersFlag } from '../run/workers-flag.ts'
import { tryPort } from '../serve/free-port.ts'
import { linkTransport } from '../serve/link-transport.ts'
import { isPrivate, ownAddress } from '../serve/own-address.ts'
import { readPortFlag } from '../serve/port-flag.ts'
import { qrCode } from '../serve/qr.ts'
import {
  readableByOthers,
  readServerFile,
  saveServerFile,
  serverFilePath,
  serverFileText,
} from '../serve/server-file.ts'
import { serverLink, type VmessInbound, vmessInbound } from '../serve/server-link.ts'
import { streamOf } from '../serve/transport-flag.ts'
import { wantsJson } from './run.ts'
import { uuid } from './uuid.ts'

export interface ServeFlags {
  readonly host?: string
  readonly port?: string
  readonly listen?: string
  readonly id?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly transport?: string
  readonly path?: string
  readonly name?: string
  readonly logJson?: boolean
  readonly logFormat?: string
  readonly workers?: string
}

/** A server that remembers itself: makes its configuration at the first start, and uses it ever after. */
export async function serve(flags: ServeFlags, terminal: Terminal): Promise<number> {
  checkFlags(flags)
  const logJson = wantsJson(flags)
  const path = serverFilePath(terminal.env)
  const saved = readServerFile(path)
  const text = saved ?? (await newServerFile(flags, path, terminal))
  const config = loadOrExit(path, text, readWorkersFlag(flags.workers), terminal)
  const inbound = vmessInbound(config, path)
  if (saved !== undefined) checkAgreement(flags, inbound, path, terminal)
  const host = flags.host ?? defaultHost(inbound)
  checkTlsFiles(inbound, saved === undefined)
  const cert = inbound.stream.tls?.certificates[0]?.cert
  const pin = cert && pinFor(cert, readText)
  const link = serverLink(inbound, host, flags.name ?? '', pin)
  const signals = new StopSignals()
  const running = await startInstance(config, { logJson, terminal })
  const { instance, appLog } = running
  // Saved only now: a port that cannot be listened on must not be what every later start stumbles over.
  if (saved === undefined) saveServerFile(path, text)
  const addresses = instance.listening.map(({ address }) => formatAddress(address)).join(', ')
  const kept = saved === undefined ? 'Configuration saved in' : 'Using the saved configuration'
  terminal.out(`${kept} ${path}\nListening on ${addresses}\n`)
  terminal.out(`Share link:\n  ${link}\n\n${qrCode(link)}\n`)
  const program = terminal.command === 'vmess' ? 'vmess' : 'node dist/cli.js'
  terminal.out(`On the other machine:\n  ${program} connect '${link}'\n\nCtrl-C stops the server.`)
  for (const note of notesOn(flags, host, inbound, path, pin)) terminal.err(note)
  await untilStopped([running], appLog.log, signals)
  await appLog.close()
  return exitCodes.ok
}

function checkFlags(flags: ServeFlags): void {
  if (flags.port !== undefined) readPortFlag(flags.port)
  if (flags.listen !== undefined && isIP(flags.listen) === 0) {
    throw usageError(`--listen ${flags.listen}: give an IP address of this machine, or 0.0.0.0 for all`)
  }
  if ((flags.tlsCert === undefined) !== (flags.tlsKey === undefined)) {
    throw usageError('--tls-cert and --tls-key belong together: give both')
  }
  if (flags.id !== undefined) checkId(flags.id)
}

function checkId(id: string): void {
  try {
    parseId(id)
  } catch {
    throw usageError('--id: give a UUID ("vmess uuid" makes one) or a text of 1 to 30 bytes')
  }
}

async function newServerFile(flags: ServeFlags, path: string, terminal: Terminal): Promise<string> {
  const listen = flags.listen ?? ''
  const port = flags.port === undefined ? await randomPort(listen || '0.0.0.0') : readPortFlag(flags.port)
  const id = flags.id ?? uuid(undefined)
  const stream = streamOf(flags, systemEnv().random)
  if (flags.tlsCert === undefined || flags.tlsKey === undefined)
    return serverFileText({ listen, port, id, stream }, path)
  const tls = { cert: resolve(terminal.cwd, flags.tlsCert), key: resolve(terminal.cwd, flags.tlsKey) }
  return serverFileText({ listen, port, id, tls, stream }, path)
}

/** Below the range that systems take outgoing ports from, so that it will be free at the next start too. */
async function randomPort(host: string): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const port = await tryPort(host, 10_000 + systemEnv().random.below(22_768))
    if (port !== undefined) return port
  }
  throw new CliError(exitCodes.start, `No free port was found on ${host}; choose one with --port.`)
}

function loadOrExit(path: string, text: string, workers: WorkersConfig | undefined, terminal: Terminal): Config {
  const { config, problems } = loadConfig([{ name: path, text }], { workers })
  printProblems(problems, terminal, { all: false })
  if (!config) throw new CliError(exitCodes.config, `${path}: the saved configuration cannot be used.`)
  return config
}

/** A saved file is never changed, so a flag that says otherwise cannot be obeyed. */
function checkAgreement(flags: ServeFlags, inbound: VmessInbound, path: string, terminal: Terminal): void {
  const { address } = inbound.listen[0]!
  const pair = inbound.stream.tls?.certificates[0]
  const fileOf = (source: object | undefined) => (source && 'path' in source ? String(source.path) : 'no file')
  const absolute = (file: string | undefined) => file && resolve(terminal.cwd, file)
  const idText = flags.id === undefined ? undefined : formatUuid(parseId(flags.id))
  const savedId = formatUuid(inbound.settings.users[0]!.id)
  const differences = [
    ...transportDifferences(flags, inbound),
    differs('--port', flags.port, String(address.port)),
    differs('--listen', flags.listen, address.host),
    idText !== undefined && idText !== savedId ? '--id: the saved configuration has another id' : undefined,
    differs('--tls-cert', absolute(flags.tlsCert), fileOf(pair?.cert)),
    differs('--tls-key', absolute(flags.tlsKey), fileOf(pair?.key)),
  ].filter((text) => text !== undefined)
  if (differences.length === 0) return
  const advice = 'The saved file is never overwritten: edit it, or move it away to have a new one made.'
  throw usageError(`${path} disagrees with the flags:\n  ${differences.join('\n  ')}\n${advice}`)
}

/** By what a link would say of the two. */
function transportDifferences(flags: ServeFlags, inbound: VmessInbound): (string | undefined)[] {
  if (flags.transport === undefined) return []
  const wanted = streamOf(flags, systemEnv().random)!
  const saved = linkStream(linkTransport(inbound))
  const other = differs('--transport', String(wanted.network), String(saved.network))
  if (other || flags.path === undefined) return [other]
  const same = JSON.stringify(wanted) === JSON.stringify(saved)
  return [same ? undefined : `--path ${flags.path}: the saved configuration has another`]
}

const differs = (flag: string, given: string | undefined, saved: string): string | undefined =>
  given === undefined || given === saved ? undefined : `${flag} ${given}: the saved configuration has ${saved}`

/** The address it listens on, or the machine's own when that is all of them. */
function defaultHost(inbound: VmessInbound): string {
  const { host } = inbound.listen[0]!.address
  return ['0.0.0.0', '::', ''].includes(host) ? ownAddress() : host
}

/** Before anything is saved or listened on. @throws CliError that names the flag, where the files come from flags */
function checkTlsFiles(inbound: VmessInbound, byFlags: boolean): void {
  if (!inbound.stream.tls) return
  try {
    checkCertificates(inbound.stream.tls, readText)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    if (!byFlags) throw new CliError(exitCodes.config, errorText(error))
    const [problem] = error.problems
    throw usageError(`${problem?.path.endsWith('keyFile') ? '--tls-key' : '--tls-cert'}: ${problem?.message}`)
  }
}

function notesOn(
  flags: ServeFlags,
  host: string,
  inbound: VmessInbound,
  path: string,
  pin: string | undefined,
): string[] {
  const notes: string[] = []
  if (flags.host === undefined && isPrivate(host)) {
    notes.push(`Note: ${host} works inside this network only. For others give the public name: vmess serve --host NAME`)
  }
  if (readableByOthers(path)) {
    notes.push('Warning: other users of this machine can read the saved configuration; make it mode 0600.')
  }
  if (inbound.stream.network === 'h2' && !inbound.stream.tls) {
    notes.push('Note: other programs speak h2 with TLS only; give --tls-cert and --tls-key for them.')
  }
  const cert = inbound.stream.tls?.certificates[0]?.cert
  if (cert && !coversHost(cert, host, readText)) {
    notes.push(`Warning: the certificate is not for ${host}; clients will refuse it. Give its name with --host.`)
  }
  if (pin !== undefined) {
    notes.push(
      'Note: no client trusts this certificate by itself, so the link holds its pin. Clients that know no pins refuse it.',
    )
  }
  return notes
}

const readText = (path: string): string => readFileSync(path, 'utf8')
