// The page's player: nothing of the video but its poster is fetched before somebody presses play.
(() => {
  const player = document.querySelector('.player');
  const video = player.querySelector('video');
  const button = player.querySelector('.play');
  const problem = player.querySelector('.problem');
  const { playlist } = player.dataset;

  const SENTENCES = {
    blocked: 'This site may not show the video. Open it on the site that it belongs to.',
    missing: 'This video is not here any more.',
    unreachable: 'The video cannot be reached. Check the connection, then press play again.',
    broken: 'The video cannot be played here. Press play to try again, or try another browser.',
    unsupported: 'This browser cannot play the video. Try a newer one.',
  };

  /** How often a decoder that gave up is started again before the viewer is told. */
  const MOST_RECOVERIES = 2;

  let hls;
  /** Seconds; where to go on after something went wrong. */
  let at = 0;

  button.addEventListener('click', () => {
    problem.hidden = true;
    hls?.destroy();
    // Everything is made within the press of the button, so that the browser sees a person's wish.
    const started = startWithLibrary() || startNatively();
    if (!started) return tell('unsupported');
    button.hidden = true;
    video.controls = true;
    video.focus();
    video.play().catch(({ name }) => {
      if (name === 'NotAllowedError') button.hidden = false;
    });
  });

  // After a refused press the viewer may as well have used the browser's own controls.
  video.addEventListener('playing', () => (button.hidden = true));

  // hls.js first: Chrome says that it plays HLS by itself, but stumbles over many streams.
  function startWithLibrary() {
    if (!window.Hls?.isSupported()) return false;
    hls = new Hls({
      capLevelToPlayerSize: true,
      maxBufferLength: 30,
      backBufferLength: 30,
      startPosition: at > 0 ? at : -1,
    });
    let recoveries = 0;
    hls.on(Hls.Events.ERROR, async (_event, { fatal, type, response }) => {
      if (!fatal) return;
      if (type === Hls.ErrorTypes.MEDIA_ERROR && recoveries < MOST_RECOVERIES) {
        recoveries += 1;
        hls.recoverMediaError();
        return;
      }
      at = video.currentTime;
      hls.destroy();
      tell(type === Hls.ErrorTypes.NETWORK_ERROR ? await whyNot(response?.code) : 'broken');
    });
    hls.loadSource(playlist);
    hls.attachMedia(video);
    return true;
  }

  function startNatively() {
    if (!video.canPlayType('application/vnd.apple.mpegurl')) return false;
    video.onerror = async () => {
      at = video.currentTime;
      const { status } = await fetch(playlist).catch(() => ({ status: 0 }));
      tell(status >= 200 && status < 300 ? 'broken' : await whyNot(status));
    };
    video.src = at > 0 ? `${playlist}#t=${at}` : playlist;
    return true;
  }

  // To a page that may not read the answer the browser says no status, as if the network were gone.
  async function whyNot(status) {
    if (status >= 500) return 'unreachable';
    if (status) return 'missing';
    const answered = fetch(playlist, { method: 'HEAD', mode: 'no-cors' });
    return answered.then(
      () => 'blocked',
      () => 'unreachable',
    );
  }

  function tell(reason) {
    problem.textContent = SENTENCES[reason];
    problem.hidden = false;
    button.hidden = false;
    video.controls = false;
    button.focus();
  }
})();
