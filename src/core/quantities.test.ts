import { describe, expect, test } from 'vitest'
import { parseDuration, parseMoment, parseSize, parseSpeed } from './quantities.ts'

describe('speeds, in bytes per second', () => {
  test.each([
    ['0', 0],
    ['0 MB/s', 0],
    ['5000000', 5_000_000],
    ['5 MB/s', 5_000_000],
    ['5MB', 5_000_000],
    ['5 MBps', 5_000_000],
    ['  5 mB/s ', 5_000_000],
    ['1.5 MB/s', 1_500_000],
    ['512 KiB/s', 524_288],
    ['2MiB/s', 2_097_152],
    ['1 GiB/s', 1_073_741_824],
    ['64 kB/s', 64_000],
    ['100 B/s', 100],
    ['40 Mbit/s', 5_000_000],
    ['40 Mbits/s', 5_000_000],
    ['40 MBit/s', 5_000_000],
    ['40 Mb/s', 5_000_000],
    ['40mbps', 5_000_000],
    ['64kbps', 8000],
    ['800 bps', 100],
    ['1 Kibit/s', 128],
    ['1 Gbit/s', 125_000_000],
    // Zero would be no limit at all.
    ['1 bit/s', 1],
  ])('%j', (text, bytes) => {
    expect(parseSpeed(text)).toBe(bytes)
  })

  test.each([
    '',
    'fast',
    '-1',
    '5 M',
    '5 MB/m',
    '5 MB per s',
    '5,5 MB',
    '.5 MB',
    '5e6',
    'Infinity',
    '99999999 PB',
    '5 XB',
  ])('%j is none', (text) => {
    expect(parseSpeed(text)).toBeUndefined()
  })
})

describe('sizes, in bytes', () => {
  test.each([
    ['0', 0],
    ['123', 123],
    ['100 GB', 100_000_000_000],
    ['50 GiB', 53_687_091_200],
    ['1.5TB', 1_500_000_000_000],
    ['1 TiB', 1_099_511_627_776],
    ['10kB', 10_000],
    ['10 KB', 10_000],
    ['1 KiB', 1024],
    ['7 B', 7],
    ['0.1 B', 1],
  ])('%j', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  test.each([
    '',
    '100 Gb',
    '100 gb',
    '100 Gbit',
    '100G',
    '5 MB/s',
    '-1 GB',
    '1_000',
    '100000 PB',
  ])('%j is none', (text) => {
    expect(parseSize(text)).toBeUndefined()
  })
})

describe('moments', () => {
  test.each([
    ['2026-12-31', '2027-01-01T00:00:00.000Z'],
    ['2028-02-28', '2028-02-29T00:00:00.000Z'],
    ['2026-02-28', '2026-03-01T00:00:00.000Z'],
    ['2026-12-31T18:00:00Z', '2026-12-31T18:00:00.000Z'],
    ['2026-12-31T18:00Z', '2026-12-31T18:00:00.000Z'],
    ['2026-12-31T18:00:00.250Z', '2026-12-31T18:00:00.250Z'],
    ['2026-12-31T18:00:00+02:00', '2026-12-31T16:00:00.000Z'],
    ['2026-12-31T18:00', '2026-12-31T18:00:00.000Z'],
    ['2026-12-31 18:00:30', '2026-12-31T18:00:30.000Z'],
    ['2026-12-31t18:00z', '2026-12-31T18:00:00.000Z'],
  ])('%j', (text, iso) => {
    expect(new Date(parseMoment(text)!).toISOString()).toBe(iso)
  })

  test.each([
    '',
    'never',
    '31.12.2026',
    '2026-12',
    '2026-13-01',
    '2026-02-30',
    '2026-12-31T25:00',
    '1798761599',
    '2026-12-31T',
  ])('%j is none', (text) => {
    expect(parseMoment(text)).toBeUndefined()
  })
})

describe('durations', () => {
  test.each([
    ['30 days', 2_592_000_000],
    ['1 day', 86_400_000],
    ['12h', 43_200_000],
    ['90 min', 5_400_000],
    ['2 Weeks', 1_209_600_000],
    ['0.5 s', 500],
    ['0 days', 0],
  ])('%j', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  test.each([
    '',
    '30',
    'days',
    '5 m',
    '1 month',
    '1 year',
    '-1 day',
    '1 day 2 h',
    '99999999999999 weeks',
  ])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })
})
