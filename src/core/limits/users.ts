/** Bounds of finding out whose a connection is. Keys are counted as tables try them: the native twin tries 20 in the same time, and may. */
export const userLimits = {
  /** Users of an inbound who are all tried at once for each client; with more, most of them wait for their turn. */
  usersAtOnce: 512,
  /** Of more users, those who were let in last and are tried at once. */
  recentUsers: 128,
  /** Addresses of which an inbound remembers the user who was let in last, and is tried first; beyond that the older half goes. */
  userAddresses: 16_384,
  /** Ids of users with alterId, alternative ones included, that are tried at once for each client; with more, they wait. */
  legacyIdsAtOnce: 128,
  /** Legacy authentications that an inbound keeps, four bytes each; what is farthest from now is computed anew each time. */
  legacyWords: 8 * 1024 * 1024,
  /** Keys that searches for users may try in one turn of the event loop. */
  searchedKeys: 8_192,
  /** The same in a millisecond for addresses from which nobody was let in. */
  searchedKeysOfStrangers: 2_048,
  /** Failures of an address, since somebody was last let in from there, from which on it comes last in searches. */
  searchFailures: 16,
  /** Addresses of which failed searches are remembered; beyond that the older half goes. */
  searchAddresses: 16_384,
  /** Searches that wait; for one more the oldest of those that come last is given up. */
  searchesWaiting: 16_384,
} as const
