import { testPages } from './page-states.ts'

testPages(1, 4)
