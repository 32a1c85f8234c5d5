import { parseRequestHead, type RequestHead } from '../../protocol/http/head.ts'
import { BadRequest } from '../../protocol/http/problems.ts'
import { type NginxAnswer, refusal } from './nginx.ts'

/** A head, or what is wrong with it. */
export function parseHead(head: Uint8Array): RequestHead | BadRequest {
  try {
    return parseRequestHead(head)
  } catch (error) {
    if (error instanceof BadRequest) return error
    throw error
  }
}

/** What nginx says to a request that is none, before it hangs up. */
export function answerToBad({ status }: BadRequest, nowMs: number): NginxAnswer {
  if (status === 431) return refusal(400, nowMs, 'Request Header Or Cookie Too Large')
  return refusal(status === 505 ? 505 : 400, nowMs)
}
