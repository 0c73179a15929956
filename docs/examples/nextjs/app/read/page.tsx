"use client";

import { type FormEvent, useRef, useState } from "react";

import { browserClient } from "../../lib/browser-client.ts";
import { explain } from "../../lib/messages.ts";
import { streamPages } from "../../lib/ocr-client.ts";
import type { Page } from "../../lib/types.ts";

/** Limits of the service (configs/settings.py): what is larger is refused there, after it was sent. */
const MAX_BYTES = 50 * 1024 * 1024;

export default function ReadPage() {
  const [pages, setPages] = useState<Page[]>([]);
  const [state, setState] = useState("");
  const running = useRef<AbortController | null>(null);

  async function read(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const file = new FormData(event.currentTarget).get("file");
    if (!(file instanceof File) || file.size === 0) return setState("Choose a file.");
    if (file.size > MAX_BYTES) return setState("The file has more than 50 MiB.");
    running.current?.abort();
    const stop = new AbortController();
    running.current = stop;
    setPages([]);
    setState("Sending ...");
    try {
      const events = streamPages(browserClient, file, {
        signal: stop.signal,
        onRetry: (_, waitMs) => setState(`Busy, trying again in ${Math.ceil(waitMs / 1000)} s ...`),
      });
      for await (const message of events) {
        if (message.event === "document") setState(`0 of ${message.data.pages_total} pages`);
        if (message.event === "page") setPages((before) => [...before, message.data]);
        if (message.event === "end") setState(`${message.data.pages_processed} pages read`);
        if (message.event === "error") setState(`${message.data.title} (${message.data.code})`);
      }
    } catch (error) {
      if (!stop.signal.aborted) setState(explain(error));
    }
  }

  return (
    <main>
      <form onSubmit={read}>
        <input type="file" name="file" accept="image/*,application/pdf" required />
        <button type="submit">Read</button>
        <button type="button" onClick={() => running.current?.abort()}>
          Stop
        </button>
      </form>
      <p role="status">{state}</p>
      {pages.map((page) => (
        <article key={page.number}>
          <h2>Page {page.number}</h2>
          <pre>{page.error ? page.error.message : page.text}</pre>
        </article>
      ))}
    </main>
  );
}
