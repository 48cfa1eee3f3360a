/** The channels that alerts go by, looked at one by one. */
export {
  previewOf,
  testNotice,
  tryChannel,
  verifyChannel,
  type ChannelPreview,
  type ChannelTried,
} from '../stages/alerting/try-channel.ts';
