// A signature that only the platform's cryptography can make. Fails for a text that is no key.
export async function sign(pem, text) {
  const der = Uint8Array.from(atob(pem.replace(/-----[^-]*-----|\s/g, "")), (letter) => letter.charCodeAt(0));
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign(algorithm, key, new TextEncoder().encode(text)));
}
