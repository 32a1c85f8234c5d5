/**
 * What programs call the same thing in a link. Every form asks for all the names of a part, its own first: writers
 * borrow keys from each other, and a name that nobody asked for is a setting that is lost.
 */
import type { Params } from './query.ts'
import { readTlsSwitch, type TlsWords } from './tls.ts'

export const partNames = {
  name: ['ps', 'remarks', 'remark', 'name'],
  address: ['add', 'address', 'server'],
  port: ['port', 'server_port'],
  id: ['id', 'uuid'],
  alterId: ['aid', 'alterId', 'alterID', 'alter_id'],
  cipher: ['scy', 'cipher', 'encryption', 'encrypt-method', 'method'],
  network: ['net', 'network', 'transport'],
  headerType: ['headerType', 'kcpHeader', 'header'],
  host: ['host', 'wsHost', 'ws-host', 'h2Host', 'obfs-host'],
  path: ['path', 'wsPath', 'ws-path', 'h2Path', 'obfs-path', 'obfs-uri'],
  serviceName: ['serviceName', 'service_name', 'grpc-service-name'],
} as const

const tlsNames = {
  serverName: ['sni', 'peer', 'tlsServerName', 'tlsServer', 'serverName', 'tls-host', 'tls-name', 'tls.servername'],
  alpn: ['alpn'],
  allowInsecure: ['insecure', 'allowInsecure', 'allow_insecure', 'skip-cert-verify', 'tls.allowinsecure'],
  verify: ['verify_cert', 'certificate', 'tls-verification'],
  fingerprint: ['fp', 'client-fingerprint'],
  pins: ['pcs', 'tls-cert-sha256', 'server-cert-fingerprint-sha256'],
  verifyNames: ['vcn'],
} as const

/** The words about TLS, by any of their names. */
export function takeTls(params: Params, address: string): TlsWords {
  return {
    address,
    serverName: params.take(...tlsNames.serverName),
    alpn: params.take(...tlsNames.alpn),
    allowInsecure: params.takeSwitch(...tlsNames.allowInsecure) || inverse(params.take(...tlsNames.verify)),
    fingerprint: params.take(...tlsNames.fingerprint),
    pins: params.take(...tlsNames.pins),
    verifyNames: params.take(...tlsNames.verifyNames),
  }
}

/** Ciphers by all their names. `none` is not among them: as a "security" it says "no TLS". */
const ciphers = 'auto aes-128-gcm chacha20-poly1305 chacha20-ietf-poly1305 aes-128-cfb zero'.split(' ')

/** Whether a word in front of an id is a cipher: `none` too, for there it can say nothing else. */
export const isCipher = (word: string): boolean => [...ciphers, 'none'].includes(word.toLowerCase())

/**
 * "security" is the cipher for some writers and TLS for others; its value tells which. Either of it and "tls" switches
 * TLS on. A word that is neither is refused.
 */
export function takeSecurity(params: Params, part: string): { readonly cipher: string; readonly tls: boolean } {
  const word = params.take('security')
  const isCipher = ciphers.includes(word.toLowerCase())
  const bySecurity = !isCipher && readTlsSwitch(word, part)
  const byTls = readTlsSwitch(params.takeSwitch('tls'), '"tls"')
  return { cipher: params.take(...partNames.cipher) || (isCipher ? word : ''), tls: bySecurity || byTls }
}

/** A word that is not clearly "no" leaves the check on. */
const inverse = (flag: string): string =>
  flag === '' ? '' : ['0', 'false', 'no', 'off'].includes(flag.toLowerCase()) ? '1' : '0'
