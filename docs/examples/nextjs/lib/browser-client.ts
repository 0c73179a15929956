"use client";

import { fetchAuthSession } from "aws-amplify/auth";

import type { ClientOptions } from "./ocr-client.ts";

/** The service as the signed-in user. The address is public; the token is the user's own and lasts an hour. */
export const browserClient: ClientOptions = {
  baseUrl: process.env.NEXT_PUBLIC_OCR_URL ?? "",
  authorize: async () => {
    // Amplify refreshes it when it has ended.
    const token = (await fetchAuthSession()).tokens?.accessToken;
    if (!token) throw new Error("Nobody is signed in.");
    return { Authorization: `Bearer ${token.toString()}` };
  },
};
