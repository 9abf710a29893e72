"""Why files are left out, and the endings and first bytes that show what a file is."""

EMPTY = "is empty: if OneDrive or Dropbox keeps it online, make it available offline"
RAW = "is a camera's raw picture: save it as jpg with the camera's program or darktable"
HEIC = (
    'is a HEIC picture: pip install "gankit[heic]" to read it, or save it as jpg, as '
    "magick mogrify -format jpg *.heic does"
)
UNREAD = "is a picture in a format that gankit does not read: save it as jpg or png"
NOT_A_PICTURE = "is not a picture, or in a format that gankit does not read: save it as jpg or png"
DRAWING = "is a drawing program's own file: export it as png"
DOCUMENT = "is a document: save its pages or pictures as png, for example with pdftoppm"
MEDICAL = "is a medical picture or scan: save it as png, for example with 3D Slicer or ImageJ"
MICROSCOPE = "is a microscope's own file: save it as tif or png, for example with ImageJ"
FILM = (
    "is a film: to train on its frames, give it with --data itself, or give its folder with "
    "--dataset folder:every=10"
)
NESTED = "is an archive among the pictures: unpack it, or give it with a --data of its own"
ARCHIVE = "is packed in a way that gankit does not read: unpack it and give the folder with --data"
DATA = "is a data file: save its pictures as png files, or as an array with numpy.save"
ARRAY = "is an array beside pictures: to train on it, give it with --data itself"
LINK = "links to no picture in the archive: pack it again with the files themselves, as tar -h does"
SHORTCUT = "is a shortcut: give the folder or file that it opens with --data"
LFS_POINTER = "is a Git LFS pointer and not the file itself: run git lfs pull"
WEB_PAGE = "is a web page: its download failed, so download it again"
TEXT = "is text and not a picture: if it was downloaded, download it again"
ZEROS = "holds only zeros: copy or download it again"
UNKNOWN = "is not a picture that gankit knows: if it holds pictures, save them as png"
BROKEN = frozenset({EMPTY, NOT_A_PICTURE, LFS_POINTER, WEB_PAGE, TEXT, ZEROS})
RUN_FOLDER = (
    "is the folder of a gankit run or lesson: to train on its pictures, give it with --data"
)
OWN_PICTURE = "was drawn by gankit: to train on it, give it with --data, without other pictures"
IN_ICLOUD = "is kept in iCloud: download it to this computer first"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PICTURE_ENDINGS = _words(
    "jpg jpeg jpe jfif jif pjpeg pjp png apng webp gif bmp dib tif tiff pgm ppm pbm pnm pfm "
    "tga pcx ico icns jp2 j2k jpf jpx sgi rgb bw qoi dds psd avif mpo ras"
)
RAW_ENDINGS = _words(  # some of them begin like a TIFF
    "3fr arw cr2 cr3 crw dcr dng erf iiq kdc mrw nef nrw orf pef raf rw2 rwl sr2 srw x3f"
)
ENDINGS = {
    HEIC: "heic heif heics heifs hif",
    UNREAD: "jxl exr hdr xbm xpm pam wbmp cur fits fit dpx jng mng flif bpg",
    DRAWING: "svg svgz ai eps ps cdr emf wmf xcf kra ora clip sai sai2 mdp procreate psb "
    "afphoto afdesign sketch fig xd indd",
    DOCUMENT: "pdf doc docx xls xlsx ppt pptx odt ods odp odg epub djvu xps",
    MEDICAL: "dcm dicom ima nii nrrd mha mhd mgz",
    MICROSCOPE: "czi lif nd2 oib oif vsi mrxs zvi lsm5",
    FILM: "mp4 m4v mov qt avi mkv webm mpg mpeg m2v wmv asf flv f4v 3gp 3g2 ogv mts m2ts vob lrv "
    "insv rm rmvb dv y4m mxf",
    NESTED: "zip tar tgz tbz tbz2 txz cbz",
    ARCHIVE: "7z rar cb7 cbr gz bz2 xz z lzma zst tzst lz lz4 br cab iso dmg arj lzh lha sit sitx "
    "zipx ace",
    DATA: "npy npz h5 hdf5 mat pkl pickle parquet arrow feather tfrecord tfrecords lmdb mdb "
    "ubyte rec bin pt pth",
    SHORTCUT: "lnk",
}  # fmt: skip
REASONS = {ending: reason for reason, text in ENDINGS.items() for ending in text.split()}
REASONS |= dict.fromkeys(RAW_ENDINGS, RAW)
IGNORED_ENDINGS = _words(  # files that lie among pictures and hold none
    "txt md rst csv tsv json jsonl ndjson yaml yml toml ini cfg xml xmp aae html htm css js py "
    "ipynb sh bat ps1 c cc cpp h hpp java r m log tex bib rtf lock srt vtt url webloc desktop "
    "mp3 wav flac ogg m4a aac wma mid opus pyc pyo pyd so dll dylib exe msi o a lib obj class jar "
    "whl db sqlite sqlite3 ttf otf woff woff2 safetensors onnx ckpt keras icc"
)
STARTS = (  # (offset, bytes, reason)
    (0, b"version https://git-lfs", LFS_POINTER),
    (0, b"7z\xbc\xaf\x27\x1c", ARCHIVE),
    (0, b"Rar!\x1a\x07", ARCHIVE),
    (0, b"\x28\xb5\x2f\xfd", ARCHIVE),  # zstd
    (0, b"\x04\x22\x4d\x18", ARCHIVE),  # lz4
    (0, b"MSCF", ARCHIVE),
    (257, b"ustar", NESTED),
    (0, b"\x1aE\xdf\xa3", FILM),  # mkv and webm
    (0, b"\0\0\1\xba", FILM),
    (0, b"\0\0\1\xb3", FILM),
    (0, b"FLV\1", FILM),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", FILM),  # asf and wmv
    (4, b"moov", FILM),
    (4, b"mdat", FILM),
    (4, b"wide", FILM),
    (8, b"AVI LIST", FILM),
    (8, b"CDXAfmt", FILM),
    (128, b"DICM", MEDICAL),
    (0, b"NRRD000", MEDICAL),
    (344, b"n+1\0", MEDICAL),  # NIfTI
    (0, b"ZISRAWFILE", MICROSCOPE),
    (0, b"FUJIFILMCCD-RAW", RAW),
    (0, b"IIRO", RAW),
    (0, b"IIRS", RAW),
    (0, b"IIU\0\x18", RAW),
    (0, b"FOVb", RAW),
    (0, b"\xff\x0a", UNREAD),  # JPEG XL
    (0, b"\0\0\0\x0cJXL ", UNREAD),
    (0, b"\x76\x2f\x31\x01", UNREAD),  # OpenEXR
    (0, b"#?RADIANCE", UNREAD),
    (0, b"%!PS", DRAWING),
    (0, b"\xc5\xd0\xd3\xc6", DRAWING),
    (0, b"gimp xcf", DRAWING),
    (0, b"CSFCHUNK", DRAWING),
    (0, b"%PDF", DOCUMENT),
    (0, b"AT&TFORM", DOCUMENT),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", DOCUMENT),
    (0, b"\x93NUMPY", ARRAY),
    (0, b"\x89HDF", DATA),
    (0, b"MATLAB ", DATA),
    (0, b"PAR1", DATA),
    (0, b"ARROW1", DATA),
    (0, b"\x80\x02", DATA),  # pickles, such as CIFAR's
    (0, b"\x80\x03", DATA),
    (0, b"\x80\x04\x95", DATA),
    (0, b"\x80\x05\x95", DATA),
    (0, b"(dp", DATA),
    (0, b"\0\0\x08\x03\0", DATA),  # MNIST
    (0, b"\0\0\x08\x01\0", DATA),
    (0, b"L\0\0\0\1\x14\2\0", SHORTCUT),
    (0, b"book\0\0\0\0mark", SHORTCUT),
)  # fmt: skip
ZIP_STARTS = (b"PK\3\4", b"PK\5\6", b"PK\7\x08")
COMPRESSED_STARTS = (b"\x1f\x8b", b"\x1f\x9d", b"BZh", b"\xfd7zXZ\0")
WEB_STARTS = (b"<!doctype html", b"<html")
