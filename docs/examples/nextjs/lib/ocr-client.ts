import type { Problem, ReadResult, StreamEvent, Task } from "./types.ts";

/** What a proxy in between may do to an answer: no problem document, so no code of the service. */
const NO_CODE = "no_problem_document";
const LONGEST_WAIT_S = 60;

/** The service refused, or something on the way to it did. */
export class OcrError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  readonly retryAfterS: number | null;
  readonly problem: Problem | null;

  constructor(status: number, problem: Problem | null, requestId: string | null, retryAfterS: number | null) {
    super(problem ? (problem.detail ?? problem.title) : `The service answered ${status}.`);
    this.name = "OcrError";
    this.status = status;
    this.code = problem?.code ?? NO_CODE;
    this.requestId = problem?.request_id ?? requestId;
    this.retryAfterS = retryAfterS;
    this.problem = problem;
  }

  /** 429: this caller's limits; 502 to 504: the service or the balancer. A later try may do. */
  get isPassing(): boolean {
    return this.code !== "deadline_exceeded" && [429, 502, 503, 504].includes(this.status);
  }
}

export interface ClientOptions {
  /** Such as https://ocr.example.com, without a path. */
  baseUrl: string;
  /** Called for each try: a token may have ended while a long upload waited. */
  authorize: () => Promise<Record<string, string>>;
  /** Tries in all. Reading is repeatable: nothing is stored by a request that failed. */
  tries?: number;
  fetch?: typeof fetch;
  /** For tests; the browser's own clock otherwise. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export interface ReadOptions {
  task?: Task;
  /** Any option of docs/api.md, such as { lang: "ko", pages: "1-3" }. */
  fields?: Record<string, string>;
  signal?: AbortSignal;
  /** Told before each wait, for a message such as "busy, trying again in 5 s". */
  onRetry?: (error: OcrError, waitMs: number) => void;
}

/** Reads one document and waits for all of it. Throws `OcrError`, or what `fetch` throws when there is no network. */
export async function readDocument(client: ClientOptions, file: Blob, options: ReadOptions = {}): Promise<ReadResult> {
  const response = await send(client, `/v1/${options.task ?? "ocr"}`, file, options, { Accept: "application/json" });
  return (await response.json()) as ReadResult;
}

/**
 * Yields the pages of a document as they are done. A stream that breaks is taken up after the last page that came: the
 * document is sent again, but pages that came already are not read again.
 */
export async function* streamPages(
  client: ClientOptions,
  file: Blob,
  options: ReadOptions = {},
): AsyncGenerator<StreamEvent> {
  let lastPage = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const headers: Record<string, string> = { Accept: "application/x-ndjson" };
      if (lastPage > 0) headers["Last-Event-ID"] = String(lastPage);
      const response = await send(client, `/v1/${options.task ?? "ocr"}`, file, options, headers);
      for await (const event of parseLines(response)) {
        if (event.event === "page") lastPage = event.id;
        yield event;
        // The last event of a stream; without one it broke.
        if (event.event === "end" || event.event === "error") return;
      }
      throw new TypeError("The stream ended in the middle.");
    } catch (error) {
      const broke = error instanceof TypeError && !options.signal?.aborted;
      if (!broke || attempt >= (client.tries ?? 5)) throw error;
      await (client.sleep ?? sleep)(1000 * attempt, options.signal);
    }
  }
}

/** POSTs the document as the form that the service takes, again after what passes. */
export async function send(
  client: ClientOptions,
  path: string,
  file: Blob,
  options: ReadOptions,
  headers: Record<string, string>,
): Promise<Response> {
  const tries = client.tries ?? 5;
  for (let attempt = 1; ; attempt += 1) {
    const form = new FormData();
    form.append("file", file, file instanceof File ? file.name : "document");
    for (const [name, value] of Object.entries(options.fields ?? {})) form.append(name, value);
    // No Content-Type here: the browser writes it, with the boundary of the form.
    const response = await (client.fetch ?? fetch)(client.baseUrl + path, {
      method: "POST",
      headers: { ...headers, ...(await client.authorize()) },
      body: form,
      signal: options.signal,
    });
    if (response.ok) return response;
    const error = await readProblem(response);
    if (!error.isPassing || attempt >= tries) throw error;
    const waitMs = chooseWait(error.retryAfterS, attempt);
    options.onRetry?.(error, waitMs);
    await (client.sleep ?? sleep)(waitMs, options.signal);
  }
}

/** `Retry-After` is computed by the service for this caller; without one the wait doubles. Never all at one moment. */
export function chooseWait(retryAfterS: number | null, attempt: number, chance: () => number = Math.random): number {
  const baseS = retryAfterS ?? Math.min(2 ** attempt, LONGEST_WAIT_S);
  return Math.min(baseS, LONGEST_WAIT_S) * 1000 * (1 + 0.25 * chance());
}

/** The error of an answer that is not 2xx. */
export async function readProblem(response: Response): Promise<OcrError> {
  const retryAfter = Number(response.headers.get("Retry-After") ?? Number.NaN);
  const isProblem = (response.headers.get("Content-Type") ?? "").startsWith("application/problem+json");
  const problem = isProblem ? ((await response.json().catch(() => null)) as Problem | null) : null;
  return new OcrError(
    response.status,
    problem,
    response.headers.get("X-Request-Id"),
    Number.isFinite(retryAfter) ? retryAfter : null,
  );
}

/** One JSON document a line, whatever pieces they come in. */
export async function* parseLines(response: Response): AsyncGenerator<StreamEvent> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const lines = (rest + (value ?? "")).split("\n");
      rest = done ? "" : (lines.pop() ?? "");
      for (const line of lines) if (line.trim()) yield JSON.parse(line) as StreamEvent;
      if (done) return;
    }
  } finally {
    // Whoever stops reading stops the service from reading on.
    await reader.cancel().catch(() => undefined);
  }
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
