// PNG files that say how to draw them again, in the words that `gankit show FILE` reads.
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});
const AFTER_HEADER = 33; // bytes: the signature and the first chunk

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

// A chunk of Latin-1 text; JSON escapes every other character.
function textChunk(keyword, text) {
  const ascii = text.replace(/[^\x20-\x7e]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const body = new TextEncoder().encode(`tEXt${keyword}\0${ascii}`);
  const chunk = new Uint8Array(body.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, body.length - 4);
  chunk.set(body, 4);
  view.setUint32(body.length + 4, crc32(body));
  return chunk;
}

async function pngOf(canvas, provenance) {
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const comment = textChunk("Comment", `made by gankit ${JSON.stringify(provenance)}`);
  return new Blob([bytes.slice(0, AFTER_HEADER), comment, bytes.slice(AFTER_HEADER)], { type: "image/png" });
}

// A canvas with the picture enlarged; its longer side has `size` pixels.
function enlarge(canvas, size) {
  const scale = size / Math.max(canvas.width, canvas.height);
  const width = Math.round(scale * canvas.width);
  const height = Math.round(scale * canvas.height);
  const large = make("canvas", { width, height });
  const context = large.getContext("2d");
  context.imageSmoothingEnabled = !canvas.classList.contains("sharp"); // as it is shown
  context.imageSmoothingQuality = "high";
  context.drawImage(canvas, 0, 0, width, height);
  return large;
}
