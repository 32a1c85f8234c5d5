import type { Header } from '../../protocol/http/headers.ts'
import { bytesOf } from '../../protocol/http/text.ts'

const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Request Entity Too Large',
  500: 'Internal Server Error',
}

/** Head of an answer, in Latin-1. */
export function answerBytes(status: number, headers: readonly Header[]): Uint8Array {
  const lines = headers.map(({ name, value }) => `${name}: ${value}\r\n`)
  return bytesOf(`HTTP/1.1 ${status} ${reasons[status] ?? 'Unknown'}\r\n${lines.join('')}\r\n`)
}
