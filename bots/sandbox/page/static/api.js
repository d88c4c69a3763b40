// Talk to the sandbox: read its state, do things as a person, hear of changes.

async function answerOf(response) {
  const answer = await response.json().catch(() => ({}));
  if (!response.ok || answer?.ok === false) {
    const error = new Error(answer?.error ?? `the server answered ${response.status}`);
    throw Object.assign(error, { status: response.status });
  }
  return answer;
}

export async function read(path) {
  return answerOf(
    await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(15000) }),
  );
}

/** Change something about the sandbox itself; rejects with what was wrong. */
export async function change(method, path, value) {
  return answerOf(
    await fetch(path, {
      method,
      headers: { "Content-Type": "application/json" },
      body: value && JSON.stringify(value),
      signal: AbortSignal.timeout(15000),
    }),
  );
}

/** Do something as a person on one side; rejects with what was wrong. */
export async function act(side, request) {
  return answerOf(
    await fetch(`/sandbox/${side}/act`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(30000),
    }),
  );
}

/**
 * Follow a stream of events and never give up: whatever ends it, it is opened again
 * after a pause. `before` is called before that, and what it rejects with is told to
 * `onDown`, which otherwise is not told why. A hidden tab lets go, so that many tabs
 * do not use up the browser's few connections to one server.
 */
export function follow({ address, before, onOpen, onData, onDown }) {
  let source = null;
  let timer = 0;
  let tries = 0;

  const stop = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const again = () => {
    stop();
    tries += 1;
    timer = setTimeout(start, Math.min(250 * 2 ** Math.min(tries, 4), 2500));
  };
  const start = async () => {
    stop();
    if (document.hidden) return;
    try {
      await before?.();
    } catch (error) {
      onDown?.(error);
      again();
      return;
    }
    stop();
    source = new EventSource(address());
    source.onopen = () => {
      tries = 0;
      onOpen?.();
    };
    source.onmessage = (event) => onData(JSON.parse(event.data));
    source.onerror = () => {
      onDown?.();
      again();
    };
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
  start();
}
