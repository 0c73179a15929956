import { type ClientOptions, type ReadOptions, readProblem, send } from "./ocr-client.ts";
import type { Job, Task } from "./types.ts";

const ENDED: ReadonlySet<Job["status"]> = new Set(["partial", "done", "failed", "cancelled", "expired"]);

/** Hands a document in as a job, which outlives the page that asked for it. Keep the id. */
export async function startJob(client: ClientOptions, file: Blob, task: Task, options: ReadOptions = {}): Promise<Job> {
  const fields = { ...options.fields, task };
  const response = await send(client, "/v1/jobs", file, { ...options, fields }, { Accept: "application/json" });
  return (await response.json()) as Job;
}

/** Waits for a job's end; `onProgress` hears of it every half minute at least. */
export async function waitForJob(
  client: ClientOptions,
  id: string,
  onProgress: (job: Job) => void = () => undefined,
  signal?: AbortSignal,
): Promise<Job> {
  for (;;) {
    const response = await (client.fetch ?? fetch)(`${client.baseUrl}/v1/jobs/${encodeURIComponent(id)}?wait=30`, {
      headers: await client.authorize(),
      signal,
    });
    if (!response.ok) throw await readProblem(response);
    const job = (await response.json()) as Job;
    onProgress(job);
    if (ENDED.has(job.status)) return job;
  }
}
