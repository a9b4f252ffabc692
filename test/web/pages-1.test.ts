import { testPages } from './page-states.ts'

testPages(0, 4)
