"""Every word that the screen says, in every language. Keys are modes of the screen and prompts; {…} is filled in."""

from typing import Literal, NamedTuple

Language = Literal["en", "id"]


class Text(NamedTuple):
    """What is read first, in very large type, and what stands below it."""

    headline: str
    detail: str = ""


_ENROLLING_EN = "Enrolling {name}, {step} of {steps}. Nobody is recorded here meanwhile"
_ENROLLING_ID = "Mendaftarkan {name}, {step} dari {steps}. Sementara ini kehadiran tidak dicatat di sini"

TEXTS: dict[Language, dict[str, Text]] = {
    "en": {
        "starting": Text("One moment", "The camera is starting"),
        "idle": Text("Welcome", "Step up and look at the camera"),
        "deciding": Text("Just a moment", "Keep looking at the camera"),
        "accepted": Text("{name}", "Recognised, saving…"),
        "recorded": Text("{name}", "{direction} · {time}"),
        "duplicate": Text("{name}", "Already recorded at {time}"),
        "unsaved": Text("Not saved yet", "Please wait, or see the desk"),
        "inactive": Text("Please see the desk", "Your registration is not active"),
        "unknown": Text("Not recognised", "Please see the desk"),
        "refused": Text("Not accepted", "Please see the desk"),
        "not_ready": Text("Getting ready", "Recognition starts in a moment"),
        "fault": Text("Out of order", "Please see the desk"),
        "no_answer": Text("No answer", "Please wait, or see the desk"),
        "lost_camera": Text("No camera", "Trying again. Please see the desk"),
        "no_answer_kept": Text("No answer", "Look at the camera: you will be recorded later"),
        "lost_server": Text("No connection", "Trying again. Please see the desk"),
        "lost_server_kept": Text("No connection", "Look at the camera: you will be recorded when it is back"),
        "lost_screen": Text("Screen stopped", "Trying again. Please see the desk"),
        "too_small": Text("Please come closer"),
        "cut_off": Text("Please step into the middle", "Your whole face must be in the picture"),
        "blurred": Text("Please hold still"),
        "too_dark": Text("It is too dark", "Please turn your face to the light"),
        "too_bright": Text("It is too bright", "Please step out of the glare"),
        "turned_away": Text("Please look at the camera"),
        "several_faces": Text("One at a time, please"),
        "ambiguous": Text("Not sure yet", "Look straight at the camera, or see the desk"),
        "enrol_no_face": Text("Please step up", _ENROLLING_EN),
        "enrol_good": Text("Good, hold still", _ENROLLING_EN),
        "enrol_several_faces": Text("One person only, please", _ENROLLING_EN),
        "enrol_too_small": Text("Please come closer", _ENROLLING_EN),
        "enrol_too_near": Text("Please step back a little", _ENROLLING_EN),
        "enrol_cut_off": Text("Please step into the middle", _ENROLLING_EN),
        "enrol_too_dark": Text("Please turn your face to the light", _ENROLLING_EN),
        "enrol_too_bright": Text("Please step out of the glare", _ENROLLING_EN),
        "enrol_blurred": Text("Please hold still", _ENROLLING_EN),
        "enrol_look_straight": Text("Please look straight", _ENROLLING_EN),
        "enrol_more_left": Text("Turn your head a little to your left", _ENROLLING_EN),
        "enrol_more_right": Text("Turn your head a little to your right", _ENROLLING_EN),
        "enrol_turn_less": Text("A little less", _ENROLLING_EN),
        "enrol_done": Text("Thank you", "The pictures of {name} are being checked. Nobody is recorded here meanwhile"),
    },
    "id": {
        "starting": Text("Mohon tunggu", "Kamera sedang dinyalakan"),
        "idle": Text("Selamat datang", "Silakan maju dan lihat ke kamera"),
        "deciding": Text("Sebentar", "Tetap lihat ke kamera"),
        "accepted": Text("{name}", "Dikenali, sedang disimpan…"),
        "recorded": Text("{name}", "{direction} · {time}"),
        "duplicate": Text("{name}", "Sudah tercatat pukul {time}"),
        "unsaved": Text("Belum tersimpan", "Mohon tunggu, atau ke meja petugas"),
        "inactive": Text("Silakan ke meja petugas", "Pendaftaran Anda tidak aktif"),
        "unknown": Text("Tidak dikenali", "Silakan ke meja petugas"),
        "refused": Text("Tidak diterima", "Silakan ke meja petugas"),
        "not_ready": Text("Sedang disiapkan", "Pengenalan wajah segera dimulai"),
        "fault": Text("Ada gangguan", "Silakan ke meja petugas"),
        "no_answer": Text("Belum ada jawaban", "Mohon tunggu, atau ke meja petugas"),
        "lost_camera": Text("Kamera terputus", "Mencoba lagi. Silakan ke meja petugas"),
        "no_answer_kept": Text("Belum ada jawaban", "Lihat ke kamera: kehadiran Anda dicatat nanti"),
        "lost_server": Text("Koneksi terputus", "Mencoba lagi. Silakan ke meja petugas"),
        "lost_server_kept": Text("Koneksi terputus", "Lihat ke kamera: kehadiran Anda dicatat setelah tersambung lagi"),
        "lost_screen": Text("Layar terhenti", "Mencoba lagi. Silakan ke meja petugas"),
        "too_small": Text("Mohon lebih dekat"),
        "cut_off": Text("Mohon ke tengah", "Seluruh wajah harus terlihat"),
        "blurred": Text("Mohon jangan bergerak"),
        "too_dark": Text("Terlalu gelap", "Hadapkan wajah ke arah cahaya"),
        "too_bright": Text("Terlalu terang", "Hindari cahaya yang menyilaukan"),
        "turned_away": Text("Mohon lihat ke kamera"),
        "several_faces": Text("Satu per satu, ya"),
        "ambiguous": Text("Belum yakin", "Lihat lurus ke kamera, atau ke meja petugas"),
        "enrol_no_face": Text("Silakan maju", _ENROLLING_ID),
        "enrol_good": Text("Bagus, jangan bergerak", _ENROLLING_ID),
        "enrol_several_faces": Text("Satu orang saja, ya", _ENROLLING_ID),
        "enrol_too_small": Text("Mohon lebih dekat", _ENROLLING_ID),
        "enrol_too_near": Text("Mohon mundur sedikit", _ENROLLING_ID),
        "enrol_cut_off": Text("Mohon ke tengah", _ENROLLING_ID),
        "enrol_too_dark": Text("Hadapkan wajah ke arah cahaya", _ENROLLING_ID),
        "enrol_too_bright": Text("Hindari cahaya yang menyilaukan", _ENROLLING_ID),
        "enrol_blurred": Text("Mohon jangan bergerak", _ENROLLING_ID),
        "enrol_look_straight": Text("Mohon lihat lurus ke kamera", _ENROLLING_ID),
        "enrol_more_left": Text("Tolehkan kepala sedikit ke kiri Anda", _ENROLLING_ID),
        "enrol_more_right": Text("Tolehkan kepala sedikit ke kanan Anda", _ENROLLING_ID),
        "enrol_turn_less": Text("Kurangi sedikit", _ENROLLING_ID),
        "enrol_done": Text(
            "Terima kasih", "Foto {name} sedang diperiksa. Sementara ini kehadiran tidak dicatat di sini"
        ),
    },
}

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "in": "In",
        "out": "Out",
        "camera_starting": "Camera starting",
        "camera_ok": "Camera",
        "camera_lost": "Camera lost",
        "server_ok": "Server",
        "server_lost": "Server lost",
        "clock_off": "Clock off by {seconds} s",
        "sound": "Touch for sound",
    },
    "id": {
        "in": "Masuk",
        "out": "Keluar",
        "camera_starting": "Kamera dinyalakan",
        "camera_ok": "Kamera",
        "camera_lost": "Kamera terputus",
        "server_ok": "Server",
        "server_lost": "Server terputus",
        "clock_off": "Jam selisih {seconds} dtk",
        "sound": "Sentuh untuk suara",
    },
}
