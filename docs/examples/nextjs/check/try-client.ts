// Tries the client against a running service: OCR_URL=... OCR_API_KEY=... npm run try -- FILE
// Node's fetch and FormData are those of a browser; CORS is what only a browser checks (check/try-browser.sh).
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer, request as ask } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";

import { POST } from "../app/api/ocr/route.ts";
import { startJob, waitForJob } from "../lib/jobs.ts";
import { type ClientOptions, OcrError, chooseWait, readDocument, streamPages } from "../lib/ocr-client.ts";

const baseUrl = process.env.OCR_URL ?? "http://127.0.0.1:8000";
const key = process.env.OCR_API_KEY ?? "";
const path = process.argv[2];
assert(path, "name a file");
const file = new File([await readFile(path)], basename(path));
const waits: number[] = [];
const client: ClientOptions = {
  baseUrl,
  authorize: async () => ({ "x-api-key": key }),
  sleep: async (ms) => void waits.push(ms),
};

async function expectError(promise: Promise<unknown>): Promise<OcrError> {
  const error = await promise.then(
    () => assert.fail("it was not refused"),
    (reason: unknown) => reason,
  );
  assert(error instanceof OcrError, String(error));
  return error;
}

const result = await readDocument(client, file);
assert(result.pages_total >= 1 && result.pages_processed === result.pages_total);
console.log("readDocument:", result.pages_total, "pages, request", result.request_id);

const events = [];
for await (const event of streamPages(client, file)) events.push(event.event);
assert.equal(events[0], "document");
assert.equal(events.at(-1), "end");
assert.equal(events.filter((name) => name === "page").length, result.pages_total);
console.log("streamPages:", events.join(" "));

const stranger = { ...client, authorize: async () => ({ "x-api-key": "wrong" }) };
const refused = await expectError(readDocument(stranger, file));
assert.deepEqual([refused.status, refused.code], [401, "unauthorized"]);
assert(refused.requestId);
console.log("a wrong key:", refused.status, refused.code);

const junk = await expectError(readDocument(client, new File(["no image"], "a.png")));
assert.equal(junk.status, 415);
const option = await expectError(readDocument(client, file, { fields: { dpi: "9999" } }));
assert.equal(option.code, "invalid_option");
assert.equal(option.problem?.errors?.[0]?.field, "dpi");
console.log("bad input:", junk.code, option.code);

// A service that is busy twice, and then the real one.
let busy = 2;
const inFront = createServer((incoming, response) => {
  busy -= 1;
  if (busy < 0) {
    const onward = ask(`${baseUrl}${incoming.url}`, { method: "POST", headers: incoming.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(onward);
    return;
  }
  response.writeHead(503, { "Content-Type": "application/problem+json", "Retry-After": "7" });
  response.end(JSON.stringify({ title: "Busy", status: 503, code: "busy", request_id: "r" }));
});
await new Promise<void>((resolve) => inFront.listen(0, "127.0.0.1", resolve));
const busyUrl = `http://127.0.0.1:${(inFront.address() as AddressInfo).port}`;
const again: string[] = [];
await readDocument({ ...client, baseUrl: busyUrl }, file, { onRetry: (error) => void again.push(error.code) });
inFront.close();
assert.deepEqual(again, ["busy", "busy"]);
assert(waits.every((ms) => ms >= 7000 && ms <= 8750), String(waits));
assert.equal(chooseWait(null, 3, () => 0), 8000);
console.log("busy twice, then read; waited", waits.map(Math.round).join(" and "), "ms");

process.env.OCR_URL = baseUrl;
process.env.OCR_API_KEY = key;
const form = new FormData();
form.append("file", file);
form.append("dpi", "9999");
const routed = await POST(new Request("http://localhost/api/ocr", { method: "POST", body: form }));
assert.equal(routed.status, 200);
assert(routed.headers.get("x-request-id"));
console.log("route handler:", routed.status, ((await routed.json()) as { pages_total: number }).pages_total, "pages");

if (process.env.OCR_JOBS === "true") {
  const job = await startJob(client, file, "ocr");
  const ended = await waitForJob(client, job.id);
  assert.equal(ended.status, "done");
  console.log("job:", ended.id, ended.status, ended.pages_processed, "pages");
}
