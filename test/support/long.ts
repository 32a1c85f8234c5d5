/**
 * Whether the loads and repetitions run in full, which takes minutes: `VMESS_LONG=1`. Without it the same tests run with
 * fewer, as many as it takes to meet every case.
 */
export const long = process.env.VMESS_LONG === '1'
