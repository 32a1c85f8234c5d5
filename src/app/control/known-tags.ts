import type { RunningInbound } from '../inbound/running-inbound.ts'

const tagsShown = 8

/** Which tags there are, for whoever wrote one that is not. */
export function knownTags(inbounds: readonly RunningInbound[]): string {
  const tags = inbounds.flatMap(({ tag }) => (tag === '' ? [] : JSON.stringify(tag)))
  if (tags.length === 0) return 'no inbound has a tag'
  const more = tags.length > tagsShown ? ` and ${tags.length - tagsShown} more` : ''
  return `tags of inbounds are ${tags.slice(0, tagsShown).join(', ')}${more}`
}
