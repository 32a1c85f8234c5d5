/** Rules of a configuration about names and addresses, compiled by whoever knows their language. */

/** Whether a name, in lower case and without a dot at its end, is meant. */
export type MatchName = (name: string) => boolean

/** Whether an IP address, as text, is meant. */
export type MatchAddress = (address: string) => boolean

/** Places of the rules that a name meets: whole names first, then domains, the longer one first, then the rest in order. */
export type RankNames = (name: string) => readonly number[]
