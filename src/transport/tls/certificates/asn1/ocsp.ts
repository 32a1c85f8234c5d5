/** Questions to OCSP servers and their answers (RFC 6960). Loaded when the first answer is to be stapled. */
import { createHash, X509Certificate } from 'node:crypto'
import {
  BasicOCSPResponse,
  CertID,
  id_pkix_ocsp_basic,
  OCSPRequest,
  OCSPResponse,
  OCSPResponseStatus,
  Request,
  TBSRequest,
  Version,
} from '@peculiar/asn1-ocsp'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import { AlgorithmIdentifier, Certificate } from '@peculiar/asn1-x509'

const sha1 = (bytes: ArrayBuffer): OctetString =>
  new OctetString(createHash('sha1').update(new Uint8Array(bytes)).digest())

/** A question about a certificate, and what makes of its answer one that can be stapled. */
export interface Question {
  /** DER. */
  readonly request: Uint8Array
  /** Until when the answer holds, ms since the epoch. Throws when it is not a good one for this certificate. */
  validUntil(answer: Uint8Array, now: number): number
}

/** @param leaf and @param issuer PEM */
export function questionAbout(leaf: string, issuer: string): Question {
  const { serialNumber } = tbsOf(leaf)
  const authority = tbsOf(issuer)
  const reqCert = new CertID({
    hashAlgorithm: new AlgorithmIdentifier({ algorithm: '1.3.14.3.2.26', parameters: null }),
    issuerNameHash: sha1(AsnConvert.serialize(authority.subject)),
    issuerKeyHash: sha1(authority.subjectPublicKeyInfo.subjectPublicKey),
    serialNumber,
  })
  const tbsRequest = new TBSRequest({ version: Version.v1, requestList: [new Request({ reqCert })] })
  return {
    request: new Uint8Array(AsnConvert.serialize(new OCSPRequest({ tbsRequest }))),
    validUntil: (answer, now) => validUntil(answer, serialNumber, now),
  }
}

const tbsOf = (pem: string) => AsnConvert.parse(new X509Certificate(pem).raw, Certificate).tbsCertificate

/** Without a time for the next answer there is a newer one at any time. */
const untilUnsaidMs = 3_600_000
/** By which the clock of the answering server may be wrong, ms. */
const skewMs = 300_000

function validUntil(answer: Uint8Array, serialNumber: ArrayBuffer, now: number): number {
  const { responseStatus, responseBytes } = AsnConvert.parse(answer, OCSPResponse)
  if (responseStatus !== OCSPResponseStatus.successful || responseBytes?.responseType !== id_pkix_ocsp_basic)
    throw new Error(`the server answered with the status ${OCSPResponseStatus[responseStatus] ?? responseStatus}`)
  const { responses } = AsnConvert.parse(responseBytes.response, BasicOCSPResponse).tbsResponseData
  const mine = Buffer.from(serialNumber)
  const single = responses.find(({ certID }) => mine.equals(Buffer.from(certID.serialNumber)))
  if (!single) throw new Error('the answer is about another certificate')
  if (single.certStatus.revoked) throw new Error('the certificate is revoked')
  if (single.certStatus.good === undefined) throw new Error('the server does not know the certificate')
  const until = single.nextUpdate?.getTime() ?? now + untilUnsaidMs
  if (single.thisUpdate.getTime() > now + skewMs || until <= now) throw new Error('the answer is not valid now')
  return until
}
