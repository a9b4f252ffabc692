import { testPages } from './page-states.ts'

testPages(2, 4)
