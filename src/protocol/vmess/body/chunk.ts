/**
 * A chunk, the unit of every framed body:
 *
 *     size field | data | padding
 *
 * Both ends take the same steps for each, the empty one at the end included, in this order: draw the padding's length, draw the
 * mask of the size, count the nonce.
 */
import type { ChunkData } from './chunk-data.ts'
import type { PaddingSource } from './padding.ts'
import type { SizeCodec } from './size.ts'

/** What the chunks of one direction are made of. */
export interface ChunkParts {
  readonly size: SizeCodec
  readonly data: ChunkData
  readonly padding: PaddingSource
}
