/** Bounds of looking up names. */
export const dnsLimits = {
  /** Questions to name servers in progress at once; when full the oldest, which hangs, is given up. Each holds a socket. */
  dnsQuestions: 256,
  /** Answers of name servers remembered; when full the oldest goes. */
  dnsCacheEntries: 4_096,
  /** Questions of one client of the dns outbound that wait for their answers; more wait or, as datagrams, are dropped. */
  dnsQuestionsHeld: 64,
  /** How long a connection to a name server over HTTPS stays without a question, ms. */
  dohIdleMs: 60_000,
  /** Addresses taken from one answer. */
  dnsAddresses: 32,
  /** The longest that an answer is remembered, s. */
  dnsTtlMaxS: 86_400,
  /** The longest that the absence of a name or address is remembered, s. */
  dnsAbsentMaxS: 900,
  /** The largest datagram that name servers are invited to send, bytes: it fits into one packet everywhere. */
  dnsDatagram: 1_232,
  /** How long a name server that says nothing comes last, ms. */
  dnsServerRestMs: 30_000,
  /** When one family of a name has answered with addresses, how long the other may still take, ms. */
  dnsOtherFamilyMs: 1_000,
  /** One look-up by the system's resolver, ms. */
  systemLookupMs: 5_000,
  /** Look-ups by the system's resolver that wait for their turn. */
  systemLookups: 64,
  /** How long the process that asks the system's resolver waits for further names before it ends, ms. */
  systemLookupIdleMs: 30_000,
  /** How often the system's settings for names are looked at, ms. */
  systemNamesMs: 3_000,
} as const
