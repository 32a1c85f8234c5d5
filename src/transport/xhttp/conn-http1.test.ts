import { xhttpSuite } from '../../../test/support/xhttp-suite.ts'

xhttpSuite(false)
