// Films, through the browser's own recorder. It works in real time.
const FILM_TYPES = ["video/mp4;codecs=avc1.42E01F", "video/mp4", "video/webm;codecs=vp9", "video/webm"];
const FILM_SIDE = 512; // px, so that a small picture is not a stamp

function canRecord() {
  return Boolean(window.MediaRecorder && HTMLCanvasElement.prototype.captureStream && filmType());
}

function filmType() {
  return FILM_TYPES.find((type) => MediaRecorder.isTypeSupported(type));
}

// A film (Blob) of pictures (ImageData).
async function record(images, fps, progress) {
  const { width, height } = images[0];
  const scale = Math.max(1, Math.ceil(FILM_SIDE / Math.max(width, height)));
  const canvas = make("canvas", { width: 2 * Math.ceil((width * scale) / 2), height: 2 * Math.ceil((height * scale) / 2) });
  const small = make("canvas");
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  const show = (image) => {
    paint(small, image);
    context.fillStyle = "#fff"; // behind a transparent picture: a film has no transparency
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
  };
  show(images[0]);
  const recorder = new MediaRecorder(canvas.captureStream(fps), { mimeType: filmType(), videoBitsPerSecond: 6e6 });
  const parts = [];
  recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
  const stopped = new Promise((resolve, reject) => {
    recorder.addEventListener("stop", resolve);
    recorder.addEventListener("error", (event) => reject(event.error ?? new Error("the recorder failed")));
  });
  recorder.start();
  await playFrames(images, fps, show, progress);
  recorder.stop();
  await stopped;
  return new Blob(parts, { type: recorder.mimeType });
}

function playFrames(images, fps, show, progress) {
  const started = performance.now();
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const index = Math.floor(((performance.now() - started) / 1000) * fps);
      show(images[Math.min(index, images.length - 1)]);
      progress(Math.min(1, index / images.length));
      if (index < images.length) return;
      clearInterval(timer);
      resolve();
    }, 1000 / fps);
  });
}
