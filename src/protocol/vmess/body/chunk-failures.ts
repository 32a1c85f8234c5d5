/** Why the chunks of a body cannot be opened, in words. */
import { ProxyError } from '../../../core/errors.ts'

export const lengthNotAuthentic = () => new ProxyError('BODY_AUTH_FAILED', 'the length of a chunk did not authenticate')

/** @param size what the field says, bytes */
export const sizeImpossible = (size: number) =>
  new ProxyError('BODY_MALFORMED', `a chunk of ${size} bytes cannot hold its tag and padding`)

export const chunkNotAuthentic = () => new ProxyError('BODY_AUTH_FAILED', 'a chunk did not authenticate')

export const insideChunk = () => new ProxyError('TRUNCATED', 'the body ended inside a chunk')
