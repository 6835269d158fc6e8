// The page's player: nothing of the video but its poster is fetched before somebody presses play.
(() => {
  const player = document.querySelector('.player');
  const video = player.querySelector('video');
  const button = player.querySelector('.play');
  const problem = player.querySelector('.problem');
  const playlist = player.dataset.playlist;

  const SENTENCES = {
    refused: 'This site may not show the video, or the video is not there any more.',
    unreachable: 'The video cannot be reached. Check the connection, then press play again.',
    broken: 'The video cannot be played here. Try another browser.',
    unsupported: 'This browser cannot play the video. Try a newer one.',
  };

  let recoveries = 0;

  button.addEventListener('click', () => {
    problem.hidden = true;
    button.hidden = true;
    video.controls = true;
    video.focus();
    // Everything is made within the press of the button, so that the browser sees its gesture.
    if (!start()) return;
    video.play().catch((error) => {
      if (error.name === 'NotAllowedError') button.hidden = false;
      else if (error.name !== 'AbortError' && problem.hidden) show(SENTENCES.broken);
    });
  });

  function start() {
    // hls.js first: Chrome says that it plays HLS itself, but stumbles over many streams.
    if (window.Hls?.isSupported()) return withLibrary();
    if (video.canPlayType('application/vnd.apple.mpegurl')) {
      video.src = playlist;
      video.addEventListener('error', () => show(SENTENCES.broken), { once: true });
      return true;
    }
    show(SENTENCES.unsupported);
    return false;
  }

  function withLibrary() {
    const hls = new Hls({ capLevelToPlayerSize: true, maxBufferLength: 30, backBufferLength: 30 });
    hls.on(Hls.Events.ERROR, (_event, { fatal, type, response }) => {
      if (!fatal) return;
      if (type === Hls.ErrorTypes.MEDIA_ERROR && recoveries < 2) {
        recoveries += 1;
        hls.recoverMediaError();
        return;
      }
      hls.destroy();
      if (type !== Hls.ErrorTypes.NETWORK_ERROR) show(SENTENCES.broken);
      else show(response?.code === 403 ? SENTENCES.refused : SENTENCES.unreachable);
    });
    hls.loadSource(playlist);
    hls.attachMedia(video);
    return true;
  }

  function show(sentence) {
    problem.textContent = sentence;
    problem.hidden = false;
    button.hidden = false;
    video.controls = false;
  }
})();
