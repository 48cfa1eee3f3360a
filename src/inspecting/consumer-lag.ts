/** How far streams have landed, for who looks from outside. */
export { consumerLag, type PartitionLag } from '../stages/landing/consumer-lag.ts';
