import { get, messageOf, post } from './api.ts';
import { confirmed } from './confirm.ts';
import { button, element, failed, say } from './dom.ts';
import { Loading } from './loading.ts';
import { regularly, type Room } from './room.ts';
import { state } from './words.ts';

interface Consumer {
  readonly workflowId: string;
  readonly stream: string;
  readonly shard: number;
  readonly state?: {
    readonly mode: string;
    readonly topic: string;
    readonly problem?: { readonly code: string; readonly message: string };
  };
  readonly note?: string;
  readonly failing?: string;
}

const SECONDS = 5;
const PATH = '/consumers';

/** Consumers of streams: how each stands, and pause and resume for who may. */
export async function consumers(room: Room): Promise<void> {
  const list = element('ul', { class: 'cards' });
  const trouble = element('div');
  let drawn = '';

  const loading = new Loading(room.signal, load);
  // After a word to a consumer: what was asked before it says how it stood before.
  const anew = (): Promise<void> => loading.anew(PATH);

  async function load(path: string, signal: AbortSignal): Promise<void> {
    try {
      const [{ consumers: found }, maySteer] = await Promise.all([
        get<{ consumers: Consumer[] }>(path, signal),
        room.maySteer(),
      ]);
      if (signal.aborted) return;
      trouble.replaceChildren();
      // What has not changed is left alone, and with it who stands on one of its buttons.
      const text = JSON.stringify(found);
      if (text === drawn) return;
      drawn = text;
      const focused =
        document.activeElement instanceof HTMLElement ? document.activeElement.dataset['steer'] : undefined;
      list.replaceChildren(
        ...(found.length === 0 ? [none()] : streamsOf(found).map((stream) => card(maySteer, stream, anew))),
      );
      if (focused !== undefined) list.querySelector<HTMLElement>(`[data-steer="${CSS.escape(focused)}"]`)?.focus();
    } catch (error) {
      if (!signal.aborted) trouble.replaceChildren(failed(messageOf(error), () => void loading.again(path)));
    }
  }

  room.element.replaceChildren(
    element('h1', { tabindex: -1 }, 'Consumers'),
    element('p', { class: 'lead' }, 'Each reads a topic and lands its rows. One that is paused loses nothing.'),
    trouble,
    list,
  );
  await loading.again(PATH);
  regularly(SECONDS, room.signal, () => void loading.again(PATH));
}

const none = (): HTMLElement =>
  element('li', { class: 'nothing' }, 'No consumer runs. The next run of a pipeline starts its own.');

function streamsOf(found: readonly Consumer[]): Consumer[][] {
  return [...Map.groupBy(found, ({ stream }) => stream).values()];
}

function card(maySteer: boolean, shards: readonly Consumer[], anew: () => Promise<void>): HTMLElement {
  const stream = shards[0]?.stream ?? '';
  const modes = new Set(shards.map((shard) => shard.state?.mode));
  const tell = async (word: 'pause' | 'resume'): Promise<void> => {
    const consequence =
      word === 'pause'
        ? 'It stops reading until somebody resumes it. Nothing is lost; its runs wait.'
        : 'It reads on from where it stopped.';
    const what = word === 'pause' ? 'Pause' : 'Resume';
    if (!(await confirmed(`${what} the consumer of ${stream}?`, consequence, what))) return;
    try {
      await post(`/consumers/${encodeURIComponent(stream)}/${word}`);
      say(`The consumer of ${stream} ${word === 'pause' ? 'is paused' : 'reads again'}.`);
    } catch (error) {
      const sentence = messageOf(error);
      say(sentence);
      told.textContent = sentence;
    }
    await anew();
  };
  const told = element('p', { class: 'wrong' });
  const steer = (word: 'pause' | 'resume', text: string): HTMLElement =>
    button(text, () => void tell(word), {
      'aria-label': `${text} the consumer of ${stream}`,
      'data-steer': `${stream}`,
    });
  const actions = !maySteer
    ? []
    : [
        ...(modes.has('running') ? [steer('pause', 'Pause')] : []),
        ...(modes.has('paused') || modes.has('halted') ? [steer('resume', 'Resume')] : []),
      ];
  return element(
    'li',
    { class: 'card', 'data-stream': stream },
    element('h2', {}, stream),
    ...shards.flatMap((shard) => shardOf(shard, shards.length)),
    told,
    actions.length === 0 ? undefined : element('div', { class: 'actions' }, ...actions),
  );
}

function shardOf({ shard, state: standing, note, failing }: Consumer, all: number): HTMLElement[] {
  const { mode, topic, problem } = standing ?? {};
  const which = all === 1 ? '' : `shard ${shard} `;
  return [
    element(
      'p',
      {},
      which,
      mode === undefined ? 'no worker answers for it' : state(mode),
      topic === undefined ? '' : ` topic ${topic}`,
    ),
    ...(note === undefined ? [] : [element('p', { class: 'note' }, note)]),
    ...(failing === undefined ? [] : [element('p', { class: 'error' }, failing)]),
    ...(problem === undefined ? [] : [element('p', { class: 'error' }, problem.message)]),
  ];
}
