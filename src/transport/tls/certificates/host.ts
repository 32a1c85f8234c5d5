import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'

/** Whether a certificate (the first of a PEM text) is for `host`, a domain name or an IP address. */
export function certificateIsFor(pem: string, host: string): boolean {
  const certificate = new X509Certificate(pem)
  return (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined
}
