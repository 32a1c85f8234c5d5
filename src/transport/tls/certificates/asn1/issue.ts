/** Writes certificates. Loaded when the first one is to be issued: who configures no authority does not pay for it. */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_kp_serverAuth,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509'
import type { IssuerPair, KeyPair } from '../../options.ts'

/** Certificates are valid from this long ago until this long from now, ms, as V2Ray's. */
const lifeMs = 3_600_000

export interface Issued extends KeyPair {
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** Signs certificates with the key of an authority. All of them have one key of their own, made when it is. */
export class Issuer {
  readonly #authority: Certificate
  readonly #signing: Signing
  readonly #key: KeyObject
  /** PEM. */
  readonly #chain: string
  readonly #leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' })

  /** Throws what is wrong with the authority. */
  constructor({ cert, key, buildChain }: IssuerPair) {
    const { raw } = new X509Certificate(cert)
    this.#authority = AsnConvert.parse(raw, Certificate)
    this.#key = createPrivateKey(key)
    this.#signing = signingWith(this.#key)
    this.#chain = buildChain ? cert : ''
  }

  /** @param name a domain name or an IP address; @param now ms since the epoch */
  issue(name: string, now: number): Issued {
    const expiresAt = now + lifeMs
    const signature = new AlgorithmIdentifier(this.#signing.algorithm)
    const tbsCertificate = new TBSCertificate({
      version: Version.v3,
      serialNumber: serial(),
      signature,
      issuer: this.#authority.tbsCertificate.subject,
      validity: new Validity({ notBefore: new Date(now - lifeMs), notAfter: new Date(expiresAt) }),
      subject: nameOf(name),
      subjectPublicKeyInfo: AsnConvert.parse(
        this.#leaf.publicKey.export({ type: 'spki', format: 'der' }),
        SubjectPublicKeyInfo,
      ),
      extensions: extensionsOf(name),
    })
    const signed = sign(this.#signing.hash, Buffer.from(AsnConvert.serialize(tbsCertificate)), this.#key)
    const signatureValue = new Uint8Array(signed).buffer
    const der = AsnConvert.serialize(new Certificate({ tbsCertificate, signatureAlgorithm: signature, signatureValue }))
    return {
      cert: new X509Certificate(Buffer.from(der)).toString() + this.#chain,
      key: this.#leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      expiresAt,
    }
  }
}

interface Signing {
  readonly algorithm: { readonly algorithm: string; readonly parameters?: null }
  /** Null: the algorithm has its own. */
  readonly hash: string | null
}

/** By the kind of key (RFC 5758, 4055, 8410). */
function signingWith({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): Signing {
  switch (asymmetricKeyType) {
    case 'rsa':
      return { algorithm: { algorithm: '1.2.840.113549.1.1.11', parameters: null }, hash: 'sha256' }
    case 'ec': {
      const [oid, hash] = ecdsa[asymmetricKeyDetails?.namedCurve ?? ''] ?? ecdsa.prime256v1!
      return { algorithm: { algorithm: oid }, hash }
    }
    case 'ed25519':
      return { algorithm: { algorithm: '1.3.101.112' }, hash: null }
    default:
      throw new Error(`an authority with a key of the type ${asymmetricKeyType} cannot sign certificates here`)
  }
}

const ecdsa: Readonly<Record<string, readonly [oid: string, hash: string]>> = {
  prime256v1: ['1.2.840.10045.4.3.2', 'sha256'],
  secp384r1: ['1.2.840.10045.4.3.3', 'sha384'],
  secp521r1: ['1.2.840.10045.4.3.4', 'sha512'],
}

/** 16 bytes, positive. */
function serial(): ArrayBuffer {
  const bytes = new Uint8Array(randomBytes(16))
  bytes[0] = (bytes[0]! & 0x3f) | 0x40
  return bytes.buffer
}

/** Longer names than the field has room for are in the extension alone. */
function nameOf(name: string): Name {
  if (name.length > 64) return new Name([])
  const value = new AttributeValue({ utf8String: name })
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: '2.5.4.3', value })])])
}

function extensionsOf(name: string): Extensions {
  const alternative = new GeneralName(isIP(name) === 0 ? { dNSName: name } : { iPAddress: name })
  return new Extensions([
    extension(id_ce_subjectAltName, new SubjectAlternativeName([alternative]), name.length > 64),
    extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), true),
    extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth]), false),
  ])
}

const extension = (extnID: string, value: unknown, critical: boolean): Extension =>
  new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) })
