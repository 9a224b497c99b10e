//! The model itself, run by ONNX Runtime on one thread.
//!
//! The runtime is a shared library that is loaded when the first model is opened; a machine without
//! it gets a plain error and shops by barcode and weight. One embedder serves one camera's thread.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use image::RgbImage;
use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::{TensorRef, ValueType};

use crate::embedding::{Embedding, Features};
use crate::eye::Embed;
use crate::gallery::{Gallery, GalleryError};
use crate::model_description::{ModelDescription, ModelError};
use crate::picture::{MAX_PIXELS, View, as_input};
use crate::recogniser::Recogniser;

/// The file that `./trundle` puts into the user's cache.
const LIBRARY_IN_CACHE: &str = "trundle/onnxruntime/libonnxruntime.so.1.31.1";

/// The process's one ONNX Runtime environment. A mutex because two cameras may open their models
/// at once and a second environment would be refused; held only while opening.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// Recognition that cannot be had, or one look that failed.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// No ONNX Runtime.
    #[error("ONNX Runtime is not usable at {}: {reason}; run `./trundle demo` once to fetch it, or name the library in ORT_DYLIB_PATH", path.display())]
    Runtime {
        /// Where it was looked for.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The model's files.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The gallery beside it.
    #[error(transparent)]
    Gallery(#[from] GalleryError),
    /// The bytes are no model that the runtime takes.
    #[error("model {} cannot be opened: {source}", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// The runtime's words.
        source: ort::Error,
    },
    /// Its inputs or outputs are not those described.
    #[error("model {}: {what}", path.display())]
    Shape {
        /// Which file.
        path: PathBuf,
        /// What was expected and found.
        what: String,
    },
    /// The picture cannot be looked at.
    #[error("a picture of {width}×{height} pixels cannot be looked at; from 8×8 to 64 megapixels can")]
    Picture {
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A run failed.
    #[error("the model failed on a picture: {0}")]
    Run(#[from] ort::Error),
    /// The model answered with numbers that are none.
    #[error("the model answered nonsense: {0}")]
    Nonsense(&'static str),
}

/// Where ONNX Runtime is expected: `ORT_DYLIB_PATH`, else the user's cache.
pub fn runtime_path() -> PathBuf {
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").filter(|p| !p.is_empty()) {
        return path.into();
    }
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|p| !p.is_empty()).map_or_else(home, PathBuf::from);
    cache.join(LIBRARY_IN_CACHE)
}

/// An opened model.
pub struct Embedder {
    session: Session,
    description: ModelDescription,
}

impl Embedder {
    /// Opens the model at `model` with the runtime at [`runtime_path`].
    ///
    /// # Errors
    /// [`EmbedError`] when runtime, model or description are missing, damaged or do not fit.
    pub fn open(model: &Path) -> Result<Self, EmbedError> {
        Self::open_with(model, &runtime_path())
    }

    /// As [`Self::open`], with the runtime library given. The first one loaded serves the process.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(model: &Path, runtime: &Path) -> Result<Self, EmbedError> {
        let (description, bytes) = ModelDescription::load_with_model(model)?;
        let environment = environment(runtime)?;
        let open = || -> Result<Session, ort::Error> {
            Session::builder(&environment)?
                .with_optimization_level(GraphOptimizationLevel::All)?
                // x86 without VNNI adds products of int8 in 16 bits, which overflow: 5 points of 100 photos were lost
                // there. Elsewhere this changes nothing.
                .with_precise_qmm()?
                .with_intra_threads(1)?
                .with_inter_threads(1)?
                .commit_from_memory(&bytes)
        };
        let session = open().map_err(|source| EmbedError::Open { path: model.into(), source })?;
        let wrong = |what: String| EmbedError::Shape { path: model.into(), what };
        let side = i64::from(description.input[1]);
        let input = session.inputs().first().ok_or_else(|| wrong("it has no input".into()))?;
        let fits = matches!(input.dtype(), ValueType::Tensor { shape, .. } if shape.len() == 4 && shape[1..] == [3, side, side]);
        if session.inputs().len() != 1 || input.name() != "image" || !fits {
            return Err(wrong(format!("it must take one `image` [N, 3, {side}, {side}], not {:?}", input)));
        }
        for (name, wanted) in [("embedding", description.embedding), ("logits", description.classes.len())] {
            let found = session.outputs().iter().find(|o| o.name() == name);
            let fits = found.is_some_and(|o| {
                matches!(o.dtype(), ValueType::Tensor { shape, .. } if shape.len() == 2 && shape[1] == wanted as i64)
            });
            if !fits {
                return Err(wrong(format!("it must give `{name}` [N, {wanted}]")));
            }
        }
        Ok(Self { session, description })
    }

    /// The model's description.
    pub fn description(&self) -> &ModelDescription {
        &self.description
    }

    /// Looks at a picture: its centred square is scaled to the input.
    ///
    /// # Errors
    /// [`EmbedError`] for a picture too small or too large, and when the runtime fails.
    pub fn look(&mut self, picture: &RgbImage) -> Result<Features, EmbedError> {
        self.look_from(picture, View::Plain)
    }

    /// As [`Self::look`], from one side.
    ///
    /// # Errors
    /// As [`Self::look`].
    pub fn look_from(&mut self, picture: &RgbImage, view: View) -> Result<Features, EmbedError> {
        let (width, height) = picture.dimensions();
        let unfit = EmbedError::Picture { width, height };
        if width < 8 || height < 8 || u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(unfit);
        }
        let input = as_input(picture, self.description.input[1], view).ok_or(unfit)?;
        self.run(&input)
    }

    /// Runs the model on `[3, side, side]` f32, RGB, -1..1.
    ///
    /// # Errors
    /// [`EmbedError`] when the runtime fails, also for an input of another length.
    pub fn run(&mut self, input: &[f32]) -> Result<Features, EmbedError> {
        let side = self.description.input[1] as usize;
        let tensor = TensorRef::from_array_view(([1usize, 3, side, side], input))?;
        let outputs = self.session.run(ort::inputs!["image" => tensor])?;
        let take =
            |name: &str| -> Result<Vec<f32>, ort::Error> { Ok(outputs[name].try_extract_tensor::<f32>()?.1.to_vec()) };
        let embedding = Embedding::new(take("embedding")?).ok_or(EmbedError::Nonsense("no embedding"))?;
        let logits = take("logits")?;
        if logits.iter().any(|l| !l.is_finite()) {
            return Err(EmbedError::Nonsense("logits that are no numbers"));
        }
        Ok(Features { embedding, logits })
    }
}

impl Embed for Embedder {
    fn embed(&mut self, picture: &RgbImage, view: View) -> Result<Features, Box<dyn std::error::Error + Send + Sync>> {
        self.look_from(picture, view).map_err(Into::into)
    }
}

/// Opens what an [`Eye`](crate::Eye) needs to name things: the model, and its gallery, which lies
/// beside it as `.gallery` unless given.
///
/// # Errors
/// [`EmbedError`] when either is missing, damaged, or they do not belong together.
pub fn open_sight(model: &Path, gallery: Option<&Path>) -> Result<(Box<dyn Embed>, Recogniser), EmbedError> {
    let embedder = Embedder::open(model)?;
    let description = embedder.description().clone();
    let beside = model.with_extension("gallery");
    let gallery = Gallery::load(gallery.unwrap_or(&beside), &description.fingerprint)?;
    Ok((Box::new(embedder), Recogniser::new(description, gallery)?))
}

fn environment(runtime: &Path) -> Result<Environment, EmbedError> {
    // Nothing panics while it is held, so a poisoned lock holds a good value.
    let mut shared = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = shared.as_ref() {
        return Ok(environment.clone());
    }
    let failed = |reason: String| EmbedError::Runtime { path: runtime.into(), reason };
    if !runtime.is_file() {
        return Err(failed("there is no such file".into()));
    }
    // A relative path would be looked for beside the program.
    let absolute = runtime.canonicalize().map_err(|e| failed(e.to_string()))?;
    let builder = ort::init_from(&absolute).map_err(|e| failed(e.to_string()))?;
    let environment = builder.with_name("trundle").with_telemetry(false).build().map_err(|e| failed(e.to_string()))?;
    *shared = Some(environment.clone());
    Ok(environment)
}
