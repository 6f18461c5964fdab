// The browser's camera: preview, one picture at a press, and clear words when there is none or it is refused.
const WIDTH = 1280;
const QUALITY = 0.92;

const REFUSALS = {
  NotAllowedError: "The camera is refused. Allow it for this page in the browser’s address bar, then try again, or upload photos.",
  NotFoundError: "This device has no camera. Upload photos instead.",
  NotReadableError: "The camera is in use by another program. Close that one, then try again.",
  OverconstrainedError: "The camera can’t give a usable picture. Upload photos instead.",
};
const INSECURE = "Browsers give the camera to secure pages only. Open this page over https, or on the same computer, or upload photos.";

export function startCamera({ taken, problem }) {
  const open = document.getElementById("camera-open");
  const panel = document.getElementById("camera");
  const video = document.getElementById("camera-picture");
  const take = document.getElementById("camera-take");
  let stream = null;

  function stop() {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.srcObject = null;
    panel.hidden = true;
    open.hidden = false;
  }

  async function start() {
    problem("");
    if (!navigator.mediaDevices?.getUserMedia) {
      problem(INSECURE);
      return;
    }
    open.disabled = true;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: WIDTH }, facingMode: "user" }, audio: false });
      stream.getVideoTracks()[0].addEventListener("ended", () => {
        stop();
        problem("The camera was unplugged or taken away. Connect it, then try again.");
      });
      video.srcObject = stream;
      await video.play();
      open.hidden = true;
      panel.hidden = false;
      take.focus();
    } catch (error) {
      stop();
      problem(REFUSALS[error.name] ?? `The camera can’t be used (${error.name}). Upload photos instead.`);
    } finally {
      open.disabled = false;
    }
  }

  async function capture() {
    if (!video.videoWidth) return;
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    if (!blob) {
      problem("The picture couldn’t be taken. Try again.");
      return;
    }
    take.disabled = true;
    await taken(blob);
    take.disabled = false;
    if (!panel.hidden) take.focus();
  }

  open.hidden = false;
  open.addEventListener("click", start);
  take.addEventListener("click", capture);
  document.getElementById("camera-close").addEventListener("click", () => {
    stop();
    open.focus();
  });
  window.addEventListener("pagehide", stop);
}
