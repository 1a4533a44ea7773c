//! What a caller asks to embed.

use serde_json::{Map, Value};

use super::vector::Form;
use crate::{
    error::Error,
    wire::{
        fields::{Fields, must_be},
        json::Outline,
    },
};

pub(super) enum Inputs {
    Texts(Vec<String>),
    /// So many of them: numbers only their own provider can read.
    Tokens(u64),
}

pub(super) struct Asked {
    pub inputs: Inputs,
    /// One text, not a list: Gemini's single form is answered in kind.
    pub single: bool,
    pub dimensions: Option<u64>,
    /// What the vectors are for, in whatever words.
    pub purpose: Option<String>,
    pub titles: Vec<Option<String>>,
    /// `None`: a form only its provider knows, which passes as it comes.
    pub form: Option<Form>,
    /// The caller's own names of what not all providers can say: purpose, dimensions, title.
    pub names: [&'static str; 3],
    pub dropped: Vec<String>,
}

impl Asked {
    /// Vectors to expect.
    pub fn count(&self) -> Option<usize> {
        match &self.inputs {
            Inputs::Texts(texts) => Some(texts.len()),
            Inputs::Tokens(_) => None,
        }
    }
}

/// The form of vectors that OpenAI's `encoding_format` asks for.
pub(super) fn form(body: &Outline<'_>) -> Option<Form> {
    form_of(super::super::text(body, "encoding_format").as_deref())
}

fn form_of(word: Option<&str>) -> Option<Form> {
    match word {
        None | Some("float") => Some(Form::Numbers),
        Some("base64") => Some(Form::Base64),
        Some(_) => None,
    }
}

pub(super) fn read_openai(body: &Outline<'_>) -> Result<Asked, Error> {
    let mut fields = tree(body)?;
    fields.take("model");
    let single = fields.peek("input").is_some_and(Value::is_string);
    let inputs = inputs(fields.take("input"))?;
    let dimensions = fields.take_u64("dimensions")?;
    let purpose = fields.take_str("input_type")?;
    let form = form_of(fields.take_str("encoding_format")?.as_deref());
    let mut dropped = vec![];
    fields.leave(&mut dropped);
    let names = ["input_type", "dimensions", "title"];
    Ok(Asked { inputs, single, dimensions, purpose, titles: vec![], form, names, dropped })
}

/// The body as a tree: here it is a caller's, and short.
fn tree(body: &Outline<'_>) -> Result<Fields, Error> {
    let value: Value = serde_json::from_str(body.text()).map_err(|_| must_be("", "a JSON object"))?;
    Fields::read(value, "")
}

fn inputs(input: Option<Value>) -> Result<Inputs, Error> {
    let wrong = || must_be("input", "a string, or an array of strings");
    let items = match input {
        Some(Value::String(text)) => return Ok(Inputs::Texts(vec![text])),
        Some(Value::Array(items)) if !items.is_empty() => items,
        Some(Value::Array(_)) => return Err(Error::invalid("input", "`input` must not be empty.")),
        None => return Err(crate::wire::fields::missing("input")),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => return Err(wrong()),
    };
    let numbers = |item: &Value| match item {
        Value::Number(_) => 1,
        Value::Array(inner) if inner.iter().all(Value::is_number) => inner.len(),
        Value::Array(_) | Value::Null | Value::Bool(_) | Value::String(_) | Value::Object(_) => 0,
    };
    if items.iter().all(|item| numbers(item) > 0) {
        return Ok(Inputs::Tokens(items.iter().map(numbers).sum::<usize>().try_into().unwrap_or(u64::MAX)));
    }
    let text = |item: Value| if let Value::String(text) = item { Ok(text) } else { Err(wrong()) };
    items.into_iter().map(text).collect::<Result<_, _>>().map(Inputs::Texts)
}

/// One of Gemini's requests.
#[derive(Default)]
struct One {
    text: String,
    dimensions: Option<u64>,
    purpose: Option<String>,
    title: Option<String>,
}

/// Both forms: one `content`, or `requests` of one each.
pub(super) fn read_gemini(body: &Outline<'_>) -> Result<Asked, Error> {
    let mut fields = tree(body)?;
    let mut dropped = vec![];
    let single = fields.peek("requests").is_none();
    let requests = if single {
        vec![std::mem::replace(&mut fields, Fields::new(Map::new(), String::new()))]
    } else {
        fields.take("model");
        fields.take_objects("requests")?
    };
    let mut all = vec![];
    for request in requests {
        all.push(read_one(request, &mut dropped)?);
    }
    fields.leave(&mut dropped);
    let first = all.first().ok_or_else(|| Error::invalid("requests", "`requests` must not be empty."))?;
    let (dimensions, purpose) = (first.dimensions, first.purpose.clone());
    if let Some(at) = all.iter().position(|one| one.dimensions != dimensions || one.purpose != purpose) {
        return Err(Error::invalid(
            format!("requests[{at}]"),
            "`outputDimensionality` and `taskType` must be the same in all `requests` for this provider.",
        ));
    }
    let names = if single {
        ["taskType", "outputDimensionality", "title"]
    } else {
        ["requests[].taskType", "requests[].outputDimensionality", "requests[].title"]
    };
    let (texts, titles) = all.into_iter().map(|one| (one.text, one.title)).unzip();
    dropped = generalised(dropped);
    Ok(Asked { inputs: Inputs::Texts(texts), single, dimensions, purpose, titles, form: Some(Form::Numbers), names, dropped })
}

fn read_one(mut request: Fields, dropped: &mut Vec<String>) -> Result<One, Error> {
    request.take("model");
    let mut one = One { text: text(&mut request)?, ..One::default() };
    let path = request.path_of("embedContentConfig");
    if let Some(config) = request.take_either("embedContentConfig", "embed_content_config") {
        options(&mut Fields::read(config, path)?, &mut one, dropped)?;
    }
    options(&mut request, &mut one, dropped)?;
    Ok(one)
}

/// In Google's two spellings; of the newer place and the older one, the newer wins.
fn options(fields: &mut Fields, one: &mut One, dropped: &mut Vec<String>) -> Result<(), Error> {
    if let Some(value) = fields.take_either("outputDimensionality", "output_dimensionality") {
        let path = fields.path_of("outputDimensionality");
        let count = value.as_u64().ok_or_else(|| must_be(&path, "a whole number, 0 or more"))?;
        one.dimensions = one.dimensions.or(Some(count));
    }
    let word = |value: Option<Value>| value.as_ref().and_then(Value::as_str).map(str::to_owned);
    let purpose = word(fields.take_either("taskType", "task_type")).filter(|word| word != "TASK_TYPE_UNSPECIFIED");
    one.purpose = one.purpose.take().or(purpose);
    one.title = one.title.take().or(word(fields.take("title")));
    let rest = std::mem::replace(fields, Fields::new(Map::new(), String::new()));
    rest.leave(dropped);
    Ok(())
}

/// The texts of a content's parts: Google embeds nothing else of most models.
fn text(request: &mut Fields) -> Result<String, Error> {
    let path = request.path_of("content");
    let content = request.take("content").ok_or_else(|| crate::wire::fields::missing(&path))?;
    if let Value::String(text) = content {
        return Ok(text);
    }
    let mut texts = vec![];
    for mut part in Fields::read(content, path)?.take_objects("parts")? {
        let path = part.path_of("text");
        let only = "This provider embeds text only: each part must hold `text`.";
        texts.push(part.take_str("text")?.ok_or_else(|| Error::invalid(path, only))?);
    }
    Ok(texts.join("\n"))
}

/// A caller may invent as many members as fit in a body: so many are named.
const MAX_PATHS: usize = 128;

/// `requests[3].x` → `requests[].x`, each once.
fn generalised(paths: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = vec![];
    for path in paths {
        if out.len() == MAX_PATHS {
            break;
        }
        let path: String = match path.split_once(']') {
            Some((_, rest)) if path.starts_with("requests[") => format!("requests[]{rest}"),
            _ => path,
        };
        if !out.contains(&path) {
            out.push(path);
        }
    }
    out
}
