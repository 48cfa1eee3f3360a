/** What is indexed of runs, made anew from their reports. */
export { fillOperations, type Filled } from '../stages/accounting/operations.ts';
